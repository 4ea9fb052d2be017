// cuBLAS as CuPy's products of real matrices use it. Matrices are column-major: element (i, j) of
// one with leading dimension ld lies at i + j·ld. What is not here is a stub that build.py writes.
#include <stdio.h>

#include <algorithm>

#include "device.h"

API int emulated_missing(const char* name);

namespace {
enum Status { SUCCESS = 0, BAD_VALUE = 7, UNSUPPORTED = 15 };
enum Type { FLOAT = 0, DOUBLE = 1 };
struct Handle {
  void* stream = nullptr;
  int pointer_mode = 0, math_mode = 0;
};

template <class T>
struct Matrix {
  const T* data;
  int64_t ld;
  int op;  // 0 as it lies, 1 transposed, 2 conjugated as well, which changes no real number
  T at(int64_t i, int64_t j) const { return op ? data[j + i * ld] : data[i + j * ld]; }
  /// Its values, column by column.
  std::vector<T> columns(int rows, int columns) const {
    std::vector<T> all(size_t(rows) * size_t(columns));
    T* to = all.data();
    for (int j = 0; j < columns; j++)
      for (int i = 0; i < rows; i++) *to++ = at(i, j);
    return all;
  }
};

/// to = value + beta · to; a beta of 0 does not read it, as it may be NaN.
template <class T>
void store(T value, T beta, T* to) {
  *to = beta == T(0) ? value : value + beta * *to;
}

/// c = alpha · a b + beta · c, of m × k and k × n. A column of c is a sum of columns of a.
template <class T>
void product(int m, int n, int k, T alpha, Matrix<T> a, Matrix<T> b, T beta, T* c, int64_t ldc) {
  const std::vector<T> left = a.columns(m, k);
  std::vector<T> sum(size_t(m), T(0));
  for (int j = 0; j < n; j++) {
    std::fill(sum.begin(), sum.end(), T(0));
    for (int l = 0; l < k; l++) {
      const T factor = b.at(l, j);
      const T* column = left.data() + size_t(l) * size_t(m);
      for (int i = 0; i < m; i++) sum[size_t(i)] += column[i] * factor;
    }
    for (int i = 0; i < m; i++) store(alpha * sum[size_t(i)], beta, c + j * ldc + i);
  }
}

uint64_t multiply_adds(int m, int n, int k, int batch = 1) {
  return uint64_t(m) * uint64_t(n) * uint64_t(k) * uint64_t(batch);
}

/// Whether cuBLAS takes these sizes: none is negative, and a column has room for its rows.
bool allowed(int opa, int opb, int m, int n, int k, int lda, int ldb, int ldc) {
  const int rows_a = opa ? k : m, rows_b = opb ? n : k;
  return m >= 0 && n >= 0 && k >= 0 && lda >= std::max(1, rows_a) && ldb >= std::max(1, rows_b) &&
         ldc >= std::max(1, m);
}

/// A batch of products, each a stride behind the one before it.
template <class T>
int strided(const char* name, int opa, int opb, int m, int n, int k, const void* alpha,
            const void* a, int lda, int64_t to_a, const void* b, int ldb, int64_t to_b,
            const void* beta, void* c, int ldc, int64_t to_c, int batch) {
  if (batch < 0 || !allowed(opa, opb, m, n, k, lda, ldb, ldc)) return BAD_VALUE;
  Work work(PRODUCT, name, multiply_adds(m, n, k, batch));
  if (Work::idle) return SUCCESS;
  const T* pa = static_cast<const T*>(a);
  const T* pb = static_cast<const T*>(b);
  T* pc = static_cast<T*>(c);
  for (int64_t i = 0; i < batch; i++)
    product<T>(m, n, k, *static_cast<const T*>(alpha), {pa + i * to_a, lda, opa},
               {pb + i * to_b, ldb, opb}, *static_cast<const T*>(beta), pc + i * to_c, ldc);
  return SUCCESS;
}

/// y = alpha · op(a) x + beta · y.
template <class T>
int with_vector(const char* name, int m, int n, T alpha, Matrix<T> a, const T* x, int to_x, T beta,
                T* y, int to_y) {
  if (m < 0 || n < 0 || a.ld < std::max(1, m) || to_x < 1 || to_y < 1) return BAD_VALUE;
  Work work(PRODUCT, name, multiply_adds(m, n, 1));
  if (Work::idle) return SUCCESS;
  const int rows = a.op ? n : m, inner = a.op ? m : n;
  std::vector<T> sum(size_t(rows), T(0));
  for (int l = 0; l < inner; l++)
    for (int i = 0; i < rows; i++) sum[size_t(i)] += a.at(i, l) * x[int64_t(l) * to_x];
  for (int i = 0; i < rows; i++) store(alpha * sum[size_t(i)], beta, y + int64_t(i) * to_y);
  return SUCCESS;
}

template <class T>
int of_vectors(const char* name, int n, const T* x, int to_x, const T* y, int to_y, T* result) {
  if (n < 0 || to_x < 1 || to_y < 1) return BAD_VALUE;
  Work work(PRODUCT, name, uint64_t(n));
  if (Work::idle) return SUCCESS;
  T sum = 0;
  for (int64_t i = 0; i < n; i++) sum += x[i * to_x] * y[i * to_y];
  return *result = sum, SUCCESS;
}

int of_type(const char* name, int type_a, int type_b, int type_c, int opa, int opb, int m, int n,
            int k, const void* alpha, const void* a, int lda, int64_t to_a, const void* b, int ldb,
            int64_t to_b, const void* beta, void* c, int ldc, int64_t to_c, int batch) {
  const bool same = type_a == type_b && type_b == type_c;
  const auto run = type_a == FLOAT ? strided<float> : strided<double>;
  if (same && (type_a == FLOAT || type_a == DOUBLE))
    return run(name, opa, opb, m, n, k, alpha, a, lda, to_a, b, ldb, to_b, beta, c, ldc, to_c,
               batch);
  emulated_missing(words("%s of types %d, %d and %d", name, type_a, type_b, type_c).c_str());
  return UNSUPPORTED;
}
}  // namespace

API int cublasCreate_v2(Handle** h) { return *h = new Handle, SUCCESS; }
API int cublasDestroy_v2(Handle* h) { return delete h, SUCCESS; }
API int cublasGetVersion_v2(Handle*, int* version) { return *version = 120900, SUCCESS; }
API int cublasSetStream_v2(Handle* h, void* stream) { return h->stream = stream, SUCCESS; }
API int cublasGetStream_v2(Handle* h, void** stream) { return *stream = h->stream, SUCCESS; }
API int cublasSetPointerMode_v2(Handle* h, int mode) { return h->pointer_mode = mode, SUCCESS; }
API int cublasGetPointerMode_v2(Handle* h, int* mode) { return *mode = h->pointer_mode, SUCCESS; }
API int cublasSetMathMode(Handle* h, int mode) { return h->math_mode = mode, SUCCESS; }
API int cublasGetMathMode(Handle* h, int* mode) { return *mode = h->math_mode, SUCCESS; }

API int cublasGemmEx(Handle*, int opa, int opb, int m, int n, int k, const void* alpha,
                     const void* a, int type_a, int lda, const void* b, int type_b, int ldb,
                     const void* beta, void* c, int type_c, int ldc, int, int) {
  return of_type("cublasGemmEx", type_a, type_b, type_c, opa, opb, m, n, k, alpha, a, lda, 0, b,
                 ldb, 0, beta, c, ldc, 0, 1);
}
API int cublasSgemmEx(Handle*, int opa, int opb, int m, int n, int k, const float* alpha,
                      const void* a, int type_a, int lda, const void* b, int type_b, int ldb,
                      const float* beta, void* c, int type_c, int ldc) {
  return of_type("cublasSgemmEx", type_a, type_b, type_c, opa, opb, m, n, k, alpha, a, lda, 0, b,
                 ldb, 0, beta, c, ldc, 0, 1);
}
API int cublasGemmStridedBatchedEx(Handle*, int opa, int opb, int m, int n, int k,
                                   const void* alpha, const void* a, int type_a, int lda,
                                   int64_t to_a, const void* b, int type_b, int ldb, int64_t to_b,
                                   const void* beta, void* c, int type_c, int ldc, int64_t to_c,
                                   int batch, int, int) {
  return of_type("cublasGemmStridedBatchedEx", type_a, type_b, type_c, opa, opb, m, n, k, alpha, a,
                 lda, to_a, b, ldb, to_b, beta, c, ldc, to_c, batch);
}

#define FOR_TYPE(L, T)                                                                             \
  API int cublas##L##gemm_v2(Handle*, int opa, int opb, int m, int n, int k, const T* alpha,       \
                             const T* a, int lda, const T* b, int ldb, const T* beta, T* c,        \
                             int ldc) {                                                            \
    return strided<T>("cublas" #L "gemm", opa, opb, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, \
                      ldc, 0, 1);                                                                  \
  }                                                                                                \
  API int cublas##L##gemmStridedBatched(Handle*, int opa, int opb, int m, int n, int k,            \
                                        const T* alpha, const T* a, int lda, int64_t to_a,         \
                                        const T* b, int ldb, int64_t to_b, const T* beta, T* c,    \
                                        int ldc, int64_t to_c, int batch) {                        \
    return strided<T>("cublas" #L "gemmStridedBatched", opa, opb, m, n, k, alpha, a, lda, to_a, b, \
                      ldb, to_b, beta, c, ldc, to_c, batch);                                       \
  }                                                                                                \
  API int cublas##L##gemmBatched(Handle*, int opa, int opb, int m, int n, int k, const T* alpha,   \
                                 const T* const* a, int lda, const T* const* b, int ldb,           \
                                 const T* beta, T* const* c, int ldc, int batch) {                 \
    if (batch < 0 || !allowed(opa, opb, m, n, k, lda, ldb, ldc)) return BAD_VALUE;                 \
    Work work(PRODUCT, "cublas" #L "gemmBatched", multiply_adds(m, n, k, batch));                  \
    for (int i = 0; i < batch && !Work::idle; i++)                                                 \
      product<T>(m, n, k, *alpha, {a[i], lda, opa}, {b[i], ldb, opb}, *beta, c[i], ldc);           \
    return SUCCESS;                                                                                \
  }                                                                                                \
  API int cublas##L##gemv_v2(Handle*, int op, int m, int n, const T* alpha, const T* a, int lda,   \
                             const T* x, int to_x, const T* beta, T* y, int to_y) {                \
    return with_vector<T>("cublas" #L "gemv", m, n, *alpha, {a, lda, op}, x, to_x, *beta, y,       \
                          to_y);                                                                   \
  }                                                                                                \
  API int cublas##L##dot_v2(Handle*, int n, const T* x, int to_x, const T* y, int to_y,            \
                            T* result) {                                                           \
    return of_vectors<T>("cublas" #L "dot", n, x, to_x, y, to_y, result);                          \
  }
FOR_TYPE(S, float)
FOR_TYPE(D, double)
