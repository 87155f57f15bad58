/* Damaged files of episodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/data/episodes.h"
#include "core/data/episodes_layout.h"
#include "damage.h"

static vlb_code read_all(const char *path, vlb_error *err) {
  vlb_episode_file *file;
  VLB_TRY(vlb_episodes_open(path, &file, err));
  vlb_code code = VLB_OK;
  for (int i = 0; !code && i < vlb_episodes_count(file); i++) {
    vlb_episode e;
    code = vlb_episodes_read(file, i, true, &e, err);
    if (!code) vlb_episode_free(&e);
  }
  vlb_episodes_close(file);
  return code;
}

static void make_good(const vlb_embodiment *robot, char **data, size_t *size) {
  vlb_error err;
  vlb_episode e[2];
  for (int i = 0; i < 2; i++) {
    assert_int_equal(vlb_episode_alloc(&e[i], robot, 2, 3, 2, &err), VLB_OK);
    e[i].model_xml = strdup("<mujoco/>");
  }
  vlb_task_info info = {.instruction = "push", .env_name = "Env", .bddl_file_name = "x.bddl", .observed_before = true};
  assert_int_equal(vlb_episodes_write("good", &info, e, 2, &err), VLB_OK);
  assert_int_equal(vlb_file_read("good", data, size, &err), VLB_OK);
  for (int i = 0; i < 2; i++) vlb_episode_free(&e[i]);
}

static void test_damage(void **state) {
  (void)state;
  static const vlb_embodiment *const robots[] = {&vlb_panda, &vlb_sawyer};
  for (int r = 0; r < 2; r++) {
    char *data;
    size_t size;
    make_good(robots[r], &data, &size);
    damage_truncate("cut", data, size - VLB_SEAL_SIZE, r ? 31 : 7, read_all); /* only the seal lost: the episodes are whole */
    damage_flip("flipped", data, size, VLB_SEAL_SIZE, r ? 100 : 500, read_all);
    free(data);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_damage)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
