/* Damaged models of foreign demonstrations: whatever the text is, its paths are rewritten or it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "damage.h"
#include "sim/rollout/model_file.h"

static vlb_code rewrite(const char *path, vlb_error *err) {
  static const vlb_asset_folders folders = {"suite", ""};
  char *xml, *out;
  size_t size;
  VLB_TRY(vlb_file_read(path, &xml, &size, err));
  vlb_code code = vlb_model_file_rewrite(xml, &folders, &out, err);
  free(xml);
  free(out);
  return code ? vlb_fail_at(err, "%s", path) : VLB_OK;
}

static void test_damage(void **state) {
  (void)state;
  static const char text[] =
      "<mujoco><asset><mesh name=\"a\" file=\"/x/robosuite/models/assets/a.stl\"/><mesh file='/y/chiliocosm/assets/b.obj'/>"
      "<texture file=\"plain.png\"/></asset></mujoco>";
  damage_flip("model.xml", text, sizeof text - 1, 0, 400, rewrite);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_damage)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
