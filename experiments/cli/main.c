/* The program: a signal handler that asks for a stop, and the exit code. */
#include <signal.h>
#include <stddef.h>

#include "experiments/cli/cli.h"

static volatile sig_atomic_t stop_asked;

static void ask_stop(int signal_number) {
  (void)signal_number;
  stop_asked = 1;
}

int main(int argc, char **argv) {
  /* one-shot: a second Ctrl-C ends the program at once, and what was finished is on disk anyway */
  struct sigaction action = {.sa_handler = ask_stop, .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  return vlb_cli(argc, argv, &stop_asked);
}
