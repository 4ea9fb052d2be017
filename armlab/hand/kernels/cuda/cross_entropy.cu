// Softmax cross-entropy over pixels: the loss in two launches, its gradient in one; of several
// outputs with the same labels, the sum of their losses in as many.
//
//     p    = exp(a) / Σ_k exp(a_k)                                                          (1)
//     q_k  = weight_k where k is the label, else 0                                          (2)
//     loss = - Σ q log p / Σ q                                                              (3)
//     da   = (p Σ_k q_k - q) dloss / Σ q                                                    (4)
//
// loss_of_pixels has one thread for a pixel and leaves the two sums of (3) over each block, added
// up as a tree; loss_mean adds those up in one block, thread by thread in their order and then as a
// tree. So the sums have one order, and no value waits for another block. Of a pixel only the
// label's logarithm is formed, from the largest logit and z = Σ_k exp(a_k - largest), which never
// overflows. A pixel that does not count is not looked at: it may hold NaN. loss_back forms largest
// and z again, since to keep them would be two more arrays.
//
// loss_of_pixels reads a and the labels, loss_back as well and writes da: the floor, if the K
// logits of 256 pixels stay in the cache from one loop over the classes to the next.

#include "sums.cuh"

struct Sizes {
  long long images, classes, pixels;  // pixels of one image
  long long ignored;                  // the label of a pixel that does not count
  long long outputs, blocks;          // blocks of one output
};

constexpr int OUTPUTS = 8;

struct Outputs {  // __grid_constant__: indexed where it is, not copied to each thread
  const real* a[OUTPUTS];
};

struct Pixel {
  long long first;  // where its first logit is; the next one is `pixels` further on
  int label;
  real q;  // (2) of its label, 0 where it does not count
};

struct Softmax {
  real largest, z;
};

__device__ Pixel pixel(long long at, const long long* labels, const real* weight, const Sizes& v) {
  const int label = labels[at];
  const bool counts = labels[at] != v.ignored && label >= 0 && label < v.classes;
  const long long first = at / v.pixels * v.classes * v.pixels + at % v.pixels;
  return {first, label, counts ? (weight ? weight[label] : real(1)) : real(0)};
}

__device__ Softmax softmax(const real* a, const Sizes& v) {
  real largest = a[0], z = 0;
  for (long long k = 1; k < v.classes; k++)
    if (a[k * v.pixels] > largest) largest = a[k * v.pixels];
  for (long long k = 0; k < v.classes; k++) z += exp(a[k * v.pixels] - largest);
  return {largest, z};
}

extern "C" __global__ void loss_of_pixels(const __grid_constant__ Outputs outputs,
                                          const long long* labels, const real* weight,
                                          Sums* of_block, Sizes v) {
  const real* a = outputs.a[blockIdx.x / v.blocks];
  const long long at = blockIdx.x % v.blocks * THREADS + threadIdx.x;
  Sums mine = {0, 0};  // Σ q and Σ q log p
  if (at < v.images * v.pixels) {
    const Pixel p = pixel(at, labels, weight, v);
    mine.a = p.q;
    if (p.q != 0) {
      const Softmax of = softmax(a + p.first, v);
      const real below = a[p.first + p.label * v.pixels] - of.largest;
      mine.b = p.q * (below - log(of.z));
    }
  }
  const Sums sums = total(mine);
  if (threadIdx.x == 0) of_block[blockIdx.x] = sums;
}

extern "C" __global__ void loss_mean(const Sums* of_block, real* loss_and_total, Sizes v) {
  Sums sums = {0, 0};
  real loss = 0;
  for (long long output = 0; output < v.outputs; output++, of_block += v.blocks) {
    Sums mine = {0, 0};
    for (long long block = threadIdx.x; block < v.blocks; block += THREADS)
      mine = mine + of_block[block];
    sums = total(mine);
    loss += -sums.b / sums.a;  // (3)
  }
  if (threadIdx.x) return;
  loss_and_total[0] = loss;
  loss_and_total[1] = sums.a;  // of the last output, and so of each
}

// dloss is an array or, where that is null, a number.
extern "C" __global__ void loss_back(const __grid_constant__ Outputs outputs,
                                     const long long* labels, const real* weight,
                                     const real* loss_and_total, const real* dloss, real number,
                                     real* da, Sizes v) {
  const long long output = blockIdx.x / v.blocks;
  const long long at = blockIdx.x % v.blocks * THREADS + threadIdx.x;
  if (at >= v.images * v.pixels) return;
  const real* a = outputs.a[output];
  da += output * v.images * v.classes * v.pixels;
  const Pixel p = pixel(at, labels, weight, v);
  const bool counts = p.q != 0;
  const Softmax of = counts ? softmax(a + p.first, v) : Softmax{0, 1};
  const real share = (dloss ? *dloss : number) / loss_and_total[1];
#pragma unroll 1
  for (long long k = 0; k < v.classes; k++) {
    const long long here = p.first + k * v.pixels;
    const real probability = counts ? exp(a[here] - of.largest) / of.z : real(0);          // (1)
    da[here] = counts ? (probability * p.q - (k == p.label ? p.q : 0)) * share : real(0);  // (4)
  }
}
