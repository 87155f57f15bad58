/* The program: a signal handler that asks for a stop, and the exit code. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>

#include "experiments/cli/cli.h"

static volatile sig_atomic_t stop_asked;

static void ask_stop(int signal_number) {
  (void)signal_number;
  stop_asked = 1;
}

/* A standard stream that the caller closed would be the next file that is opened: messages would go into the weights. What takes
 * its place refuses to be used, so that a lost result is still noticed. */
static void fill_closed_streams(void) {
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) (void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv) {
  fill_closed_streams();
  /* one-shot: a second Ctrl-C ends the program at once, and what was finished is on disk anyway */
  struct sigaction action = {.sa_handler = ask_stop, .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  return vlb_cli(argc, argv, &stop_asked);
}
