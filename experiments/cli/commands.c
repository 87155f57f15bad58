#include "experiments/cli/commands.h"

#include <stddef.h>

const vlb_command *const vlb_commands[] = {
    &vlb_cmd_run,
    &vlb_cmd_sweep,
    &vlb_cmd_plan,
    &vlb_cmd_merge,
    &vlb_cmd_report,
    &vlb_cmd_claims,
    &vlb_cmd_train,
    &vlb_cmd_pretrain,
    &vlb_cmd_eval,
    &vlb_cmd_serve,
    &vlb_cmd_drive,
    &vlb_cmd_list,
    &vlb_cmd_demos,
    &vlb_cmd_replay,
    &vlb_cmd_render,
    &vlb_cmd_gallery,
    &vlb_cmd_doctor,
    &vlb_cmd_inspect,
    &vlb_cmd_infer,
    &vlb_cmd_export,
    &vlb_cmd_verify,
    &vlb_cmd_verify_metaworld,
    &vlb_cmd_bench,
    NULL};
