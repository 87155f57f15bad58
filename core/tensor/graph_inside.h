/* The graph's own structures, for the files that implement it: graph.c (define, reverse, plan), graph_run.c (run, measure), fold.c (inference). */
#ifndef VLB_TENSOR_GRAPH_INSIDE_H
#define VLB_TENSOR_GRAPH_INSIDE_H

#include "core/tensor/op.h"

typedef enum { ACTIVATION, INPUT, IDS, WEIGHT, GRADIENT } storage;

typedef struct {
  int ndim;
  int64_t dims[4];
  size_t count;
  storage kind;
  bool steady;       /* INPUT, IDS: changes only when the caller says so (vlb_graph_steady) */
  const void *data;  /* INPUT, IDS, WEIGHT */
  size_t offset;     /* ACTIVATION: in the arena; GRADIENT: in the gradient vector; floats */
  int64_t gradient_offset; /* WEIGHT: -1 when not trained */
  bool needs_gradient, kept;
  bool assigned;     /* GRADIENT: its first writer assigns all of it, so it need not start as zeros */
  vlb_t gradient;
  int first, last;   /* nodes between which the activation lives */
} tensor;

typedef struct {
  vlb_gemm_spec spec;
  vlb_gemm *gemm;
} shared_gemm;

typedef struct {
  vlb_low_spec spec;
  vlb_low *low;
} shared_low;

struct vlb_graph {
  tensor *tensors;
  int tensor_count, tensor_room;
  vlb_node **nodes;
  int node_count, node_room, forward_count; /* nodes from forward_count on are the gradient */
  shared_gemm *gemms;
  int gemm_count, gemm_room;
  shared_low *lows; /* products of low precision */
  int low_count, low_room;
  float *arena, *scratch, *gradient;
  vlb_t *assigned; /* gradients that their first writer assigns, by offset */
  int assigned_count;
  size_t arena_count, scratch_count, gemm_scratch;
  bool failed, profiling;
  vlb_inference how; /* of a graph that only serves inference */
  bool infers;       /* it was planned with `how` */
  bool renewed;      /* the next run also runs the steady nodes */
  void **packs;      /* packed weights; owned */
  int pack_count, pack_room;
  size_t pack_bytes;
  const char *stage;
  vlb_precision precision;
  vlb_error error;
};

/* Room for one more element of an array of the graph; false (and the graph has failed) when there is no memory. */
bool vlb_graph_grow(vlb_graph *g, void **array, int count, int *room, size_t size);

#endif
