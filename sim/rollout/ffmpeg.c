#include "sim/rollout/ffmpeg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/file.h"

extern char **environ;

/* ffmpeg must not inherit our end of the pipe, and must not read the terminal. */
static int spawn(vlb_film *film, const char *size, const char *rate, int ends[2]) {
  const char *argv[] = {"ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", size, "-framerate",
                        rate, "-i", "pipe:0", "-pix_fmt", "yuv420p", "-f", "mp4", film->temp, NULL};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
  int failed = posix_spawnp(&film->process, argv[0], &actions, NULL, (char *const *)argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

vlb_code vlb_film_open(vlb_film *film, const char *path, int width, int height, int rate, vlb_error *err) {
  char size[32], fps[16];
  int ends[2];
  *film = (vlb_film){.frame = (size_t)width * (size_t)height * 3};
  VLB_TRY(vlb_path(film->path, sizeof film->path, err, "%s", path));
  vlb_temp_name(path, film->temp, sizeof film->temp);
  snprintf(size, sizeof size, "%dx%d", width, height);
  snprintf(fps, sizeof fps, "%d", rate);
  if (pipe2(ends, O_CLOEXEC)) return vlb_fail(err, VLB_FAILED, "%s: no pipe to ffmpeg: %s", path, strerror(errno));
  int failed = spawn(film, size, fps, ends);
  close(ends[0]);
  film->in = failed ? NULL : fdopen(ends[1], "wb");
  if (film->in) return VLB_OK;
  close(ends[1]);
  if (failed == ENOENT)
    return vlb_fail(err, VLB_FAILED, "%s: a film needs ffmpeg, which is not installed; install it, or ask for a contact sheet (.png)", path);
  return vlb_fail(err, VLB_FAILED, "%s: cannot start ffmpeg: %s", path, strerror(failed ? failed : errno));
}

/* Writing to a process that has ended must be an error here, not the end of this program. */
vlb_code vlb_film_frame(vlb_film *film, const uint8_t *rgb, vlb_error *err) {
  struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
  sigaction(SIGPIPE, &ignore, &before);
  size_t written = fwrite(rgb, 1, film->frame, film->in);
  int flushed = fflush(film->in);
  sigaction(SIGPIPE, &before, NULL);
  if (written == film->frame && !flushed) return VLB_OK;
  return vlb_fail(err, VLB_FAILED, "%s: ffmpeg stopped reading; its message is above", film->path);
}

vlb_code vlb_film_close(vlb_film *film, int failed, vlb_error *err) {
  int status = 0;
  fclose(film->in);
  while (waitpid(film->process, &status, 0) < 0 && errno == EINTR) continue;
  if (!failed && WIFEXITED(status) && WEXITSTATUS(status) == 0) return vlb_publish(film->temp, film->path, err);
  unlink(film->temp);
  if (failed) return err ? err->code : VLB_FAILED;
  return vlb_fail(err, VLB_FAILED, "%s: ffmpeg failed; its message is above", film->path);
}
