/* The paper's claims (paper/claims.toml), one comparison each: what its own numbers say about it at their number of episodes, and what ours say. */
#ifndef VLB_REPORT_CLAIMS_H
#define VLB_REPORT_CLAIMS_H

#include "core/base/context.h"
#include "experiments/report/evidence.h"

enum { VLB_MAX_CLAIMS = 48 };

typedef enum {
  VLB_CLAIM_BETTER,   /* a - b > 0 */
  VLB_CLAIM_LESS,     /* a - b < 0: of times */
  VLB_CLAIM_NO_WORSE  /* a - b > -margin */
} vlb_claim_kind;

typedef enum { VLB_CLAIM_NOT_RUN, VLB_CLAIM_UNKNOWN, VLB_CLAIM_NOT_SEPARABLE, VLB_CLAIM_REPRODUCED, VLB_CLAIM_CONTRADICTED } vlb_claim_verdict;

/* One body of evidence about a claim, effects as a - b. */
typedef struct {
  vlb_claim_verdict verdict;
  vlb_estimate effect; /* in the claim's unit; NAN where there is none */
  double p, p_holm;    /* two-sided, of no difference; Holm over the claims of the table, those without evidence with p = 1 */
  const char *method;  /* "McNemar, Tango"; "" where nothing was computed */
  bool full;           /* of a default preset, not a quick one */
  char from[96];       /* "attention-quick": the results it rests on; the paper: how many episodes */
} vlb_claim_side;

typedef struct {
  char id[48], text[160], note[200];
  char table[48], a[64], b[64]; /* rows of paper/published.toml */
  char ours_table[48];          /* paper_table of the ablations that speak about it; table itself unless said */
  vlb_claim_kind kind;
  double margin;                /* points */
  const char *unit;             /* "points", "s", "cubes" */
  vlb_claim_side paper, ours;
} vlb_claim;

typedef struct {
  vlb_claim claim[VLB_MAX_CLAIMS];
  int count;
} vlb_claims;

/* Reads the list and judges the paper's own numbers. Errors (VLB_USAGE): file:line, a row or table that the paper does not have. */
vlb_code vlb_claims_open(vlb_claims *claims, vlb_error *err);

/* What an ablation's evidence says about the claims of its table: success, and where its episodes have clocks, times and cubes. The first ablation of a
 * table speaks, but the default preset takes the place of a quick one. Errors: a damaged clock.csv. */
vlb_code vlb_claims_add(vlb_claims *claims, const vlb_evidence *e, const vlb_plan *plan, const char *root, vlb_error *err);

/* Once everything was added: Holm and verdicts. */
void vlb_claims_judge(vlb_claims *claims);

/* "reproduced"; of the paper's own numbers, which reproduce nothing: "supported". */
const char *vlb_claim_verdict_name(const vlb_claim *claim, const vlb_claim_side *side);

#endif
