/* The clients of a server: what is kept of each while it is connected, and what stays of it for the report. No network here. */
#ifndef VLB_WIRE_SERVER_CLIENTS_H
#define VLB_WIRE_SERVER_CLIENTS_H

#include "experiments/wire/jobs.h"
#include "experiments/wire/histogram.h"

enum { VLB_CLIENT_RECORDS = 256 }; /* clients told apart in the report; later ones are summed up */

typedef struct {
  int number;          /* 1 is the first; 0 the sum of those that have no record of their own */
  char peer[48];
  int64_t requests, errors;
  vlb_histogram total, waiting, thinking; /* of requests that were answered: from the last byte in to the last byte out; before; within the policy */
} vlb_client_record;

typedef struct {
  vlb_client_record *records; /* [VLB_CLIENT_RECORDS] */
  int used, clients;          /* clients: ever seen */
} vlb_client_records;

bool vlb_records_open(vlb_client_records *r);
void vlb_records_close(vlb_client_records *r);
vlb_client_record *vlb_records_add(vlb_client_records *r, const char *peer); /* the record of a new client; *number is r->clients */
void vlb_records_print(const vlb_client_records *r, bool json, FILE *out);

/* Requests a second, with room for one second's worth of them at once. */
typedef struct {
  double rate, tokens, at;
} vlb_bucket;
vlb_bucket vlb_bucket_make(double rate, double now);
double vlb_bucket_take(vlb_bucket *b, double now); /* seconds to wait before this request may go; 0: now */

#endif
