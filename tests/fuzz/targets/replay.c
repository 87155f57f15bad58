/* Stands in for libFuzzer where it is not linked: runs a target on every file of the folders given, so that what it once found stays found. */
#include "target.h"

#include "core/base/file.h"

int main(int argc, char **argv) {
  int files = 0;
  for (int i = 1; i < argc; i++) {
    vlb_file_list list;
    vlb_error err;
    if (vlb_folder_list(argv[i], "", &list, &err)) {
      fprintf(stderr, "%s\n", err.message);
      return 1;
    }
    for (int k = 0; k < list.count; k++, files++) {
      char *data;
      size_t size;
      if (vlb_file_read(list.path[k], &data, &size, &err)) return 1;
      fprintf(stderr, "%s\n", list.path[k]);
      LLVMFuzzerTestOneInput((const uint8_t *)data, size);
      free(data);
    }
    vlb_list_free(&list);
  }
  printf("%d inputs\n", files);
  return files ? 0 : 1;
}
