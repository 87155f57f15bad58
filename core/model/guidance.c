#include "core/model/guidance.h"

#include <math.h>

static int least(int a, int b) { return a < b ? a : b; }

/* Weight of action i, s <= i < h. */
static double falling(const vlb_guidance *g, int i, int s, int h) {
  double line = 1 - (double)(i - s + 1) / (h - s + 1);
  switch (g->schedule) {
    case VLB_GUIDE_LINEAR: return line;
    case VLB_GUIDE_EXP: return line * expm1(line) / expm1(1);
    case VLB_GUIDE_ONES: return 1;
    default: return 0;
  }
}

static float weight(const vlb_guidance *g, int T, int i) {
  int h = least(least(g->horizon, g->n), T), s = least(g->delay, h);
  return i < s ? 1 : i < h ? (float)falling(g, i, s, h) : 0;
}

void vlb_guidance_weights(const vlb_guidance *g, int T, float *out) {
  for (int i = 0; i < T; i++) out[i] = weight(g, T, i);
}

double vlb_guidance_strength(double t, double most) {
  double tau = 1 - t, rest = t * t;
  if (tau <= 0) return most;
  return fmin(most, t / tau * (rest + tau * tau) / rest);
}

void vlb_guidance_apply(const vlb_guidance *g, int T, int A, double t, const float *x, const float *v, float *out) {
  float strength = (float)vlb_guidance_strength(t, g->most), time = (float)t;
  for (int i = 0; i < T; i++) {
    float w = weight(g, T, i);
    for (int k = i * A; k < (i + 1) * A; k++) out[k] = w > 0 ? v[k] - strength * ((g->previous[k] - (x[k] - time * v[k])) * w) : v[k];
  }
}
