#include "experiments/wire/server_clients.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool vlb_records_open(vlb_client_records *r) {
  *r = (vlb_client_records){.records = calloc(VLB_CLIENT_RECORDS, sizeof *r->records)};
  return r->records != NULL;
}

void vlb_records_close(vlb_client_records *r) {
  free(r->records);
  r->records = NULL;
}

vlb_client_record *vlb_records_add(vlb_client_records *r, const char *peer) {
  r->clients++;
  if (r->used == VLB_CLIENT_RECORDS) {
    vlb_client_record *rest = &r->records[VLB_CLIENT_RECORDS - 1];
    rest->number = 0;
    snprintf(rest->peer, sizeof rest->peer, "others");
    return rest;
  }
  vlb_client_record *own = &r->records[r->used++];
  own->number = r->clients;
  snprintf(own->peer, sizeof own->peer, "%s", peer);
  return own;
}

static void print_row(const vlb_client_record *c, const char *name, FILE *out) {
  fprintf(out, "%6s  %9lld  %6lld  %8.1f  %8.1f  %8.1f  %8.1f  %8.1f  %8.1f  %s\n", name, (long long)c->requests, (long long)c->errors,
          1e3 * vlb_histogram_quantile(&c->total, 0.5), 1e3 * vlb_histogram_quantile(&c->total, 0.95), 1e3 * c->total.worst,
          1e3 * vlb_histogram_mean(&c->total), 1e3 * vlb_histogram_mean(&c->waiting), 1e3 * vlb_histogram_mean(&c->thinking), c->peer);
}

static vlb_client_record sum(const vlb_client_records *r) {
  vlb_client_record all = {.peer = "all"};
  for (int i = 0; i < r->used; i++) {
    all.requests += r->records[i].requests;
    all.errors += r->records[i].errors;
    vlb_histogram_merge(&all.total, &r->records[i].total);
    vlb_histogram_merge(&all.waiting, &r->records[i].waiting);
    vlb_histogram_merge(&all.thinking, &r->records[i].thinking);
  }
  return all;
}

static json_t *times_json(const vlb_histogram *l) {
  return json_pack("{s:f,s:f,s:f,s:f}", "mean_ms", 1e3 * vlb_histogram_mean(l), "p50_ms", 1e3 * vlb_histogram_quantile(l, 0.5), "p95_ms",
                   1e3 * vlb_histogram_quantile(l, 0.95), "max_ms", 1e3 * l->worst);
}

static json_t *record_json(const vlb_client_record *c) {
  return json_pack("{s:i,s:s,s:I,s:I,s:o,s:o,s:o}", "client", c->number, "peer", c->peer, "requests", (json_int_t)c->requests, "errors",
                   (json_int_t)c->errors, "total", times_json(&c->total), "waiting", times_json(&c->waiting), "thinking", times_json(&c->thinking));
}

static void print_json(const vlb_client_records *r, const vlb_client_record *all, FILE *out) {
  json_t *list = json_array();
  for (int i = 0; i < r->used; i++) json_array_append_new(list, record_json(&r->records[i]));
  json_t *root = json_pack("{s:i,s:o,s:o}", "clients", r->clients, "all", record_json(all), "each", list);
  json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
  fputc('\n', out);
  json_decref(root);
}

void vlb_records_print(const vlb_client_records *r, bool json, FILE *out) {
  vlb_client_record all = sum(r);
  if (json) {
    print_json(r, &all, out);
    return;
  }
  fputs("client   requests  errors    median       95%       max      mean   waiting  thinking  peer; times in ms\n", out);
  for (int i = 0; i < r->used; i++) {
    char name[16];
    snprintf(name, sizeof name, "%d", r->records[i].number);
    print_row(&r->records[i], r->records[i].number ? name : "", out);
  }
  if (r->used != 1) print_row(&all, "all", out);
}

vlb_bucket vlb_bucket_make(double rate, double now) { return (vlb_bucket){rate, fmax(rate, 1), now}; }

double vlb_bucket_take(vlb_bucket *b, double now) {
  if (b->rate <= 0) return 0;
  b->tokens = fmin(fmax(b->rate, 1), b->tokens + (now - b->at) * b->rate);
  b->at = now;
  b->tokens -= 1;
  return b->tokens >= 0 ? 0 : -b->tokens / b->rate;
}
