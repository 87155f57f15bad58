/* Errors are values: every function that can fail returns a vlb_code and fills a vlb_error.
 * The codes are the program's documented exit codes, so a command returns what it was told. */
#ifndef VLB_BASE_STATUS_H
#define VLB_BASE_STATUS_H

typedef enum {
  VLB_OK = 0,
  VLB_FAILED = 1,       /* the machine, a file's content or a simulation failed */
  VLB_USAGE = 2,        /* the user's command line or configuration */
  VLB_FELL_SHORT = 3,   /* a check ran and its result is below the bar */
  VLB_INCOMPLETE = 4,   /* some cells are missing or failed; the rest is there */
  VLB_INTERRUPTED = 130 /* SIGINT or SIGTERM; everything finished is kept */
} vlb_code;

typedef struct {
  vlb_code code;
  char message[1024]; /* one line: what, where, and what to do about it */
} vlb_error;

/* Fills err (may be NULL) and returns code. The first failure is the one worth reading: callers
 * that add a place use vlb_fail_at. */
vlb_code vlb_fail(vlb_error *err, vlb_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "place: " before the message already in err and returns its code. */
vlb_code vlb_fail_at(vlb_error *err, const char *place, ...) __attribute__((format(printf, 2, 3)));

/* Forwards a failure. Functions that own something use `goto` and this macro's expanded form. */
#define VLB_TRY(expr)                        \
  do {                                       \
    vlb_code vlb_try_code_ = (expr);         \
    if (vlb_try_code_) return vlb_try_code_; \
  } while (0)

#endif
