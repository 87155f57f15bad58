/* One line per command file. */
#ifndef VLB_CLI_COMMANDS_H
#define VLB_CLI_COMMANDS_H

#include "experiments/cli/cli.h"

extern const vlb_command vlb_cmd_run;
extern const vlb_command vlb_cmd_sweep;
extern const vlb_command vlb_cmd_plan;
extern const vlb_command vlb_cmd_merge;
extern const vlb_command vlb_cmd_report;
extern const vlb_command vlb_cmd_claims;
extern const vlb_command vlb_cmd_train;
extern const vlb_command vlb_cmd_pretrain;
extern const vlb_command vlb_cmd_eval;
extern const vlb_command vlb_cmd_serve;
extern const vlb_command vlb_cmd_drive;
extern const vlb_command vlb_cmd_list;
extern const vlb_command vlb_cmd_demos;
extern const vlb_command vlb_cmd_replay;
extern const vlb_command vlb_cmd_render;
extern const vlb_command vlb_cmd_gallery;
extern const vlb_command vlb_cmd_doctor;
extern const vlb_command vlb_cmd_inspect;
extern const vlb_command vlb_cmd_infer;
extern const vlb_command vlb_cmd_export;
extern const vlb_command vlb_cmd_verify;
extern const vlb_command vlb_cmd_verify_metaworld;
extern const vlb_command vlb_cmd_bench;

#endif
