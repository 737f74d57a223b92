#include "kernels.h"

#include <atomic>
#include <cstring>

#include "isa_tables.h"

namespace netweight {
namespace {

#if defined(__x86_64__)
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}
#endif

const Kernels* best_kernels() {
  for (const char* name : {"amx", "avx512", "avx2"}) {
    if (const Kernels* found = find_kernels(name)) return found;
  }
  return nullptr;
}

std::atomic<const Kernels*>& current() {
  static std::atomic<const Kernels*> table = best_kernels();
  return table;
}

}  // namespace

const Kernels* find_kernels(const char* name) {
#if defined(NETWEIGHT_HAS_AVX2)
  if (std::strcmp(name, "avx2") == 0 && has_avx2()) return &avx2::table();
#endif
  static_cast<void>(name);
  return nullptr;
}

const Kernels* kernels() { return current().load(std::memory_order_relaxed); }

bool use_kernels(const char* name) {
  const Kernels* found = find_kernels(name);
  if (found != nullptr) current().store(found, std::memory_order_relaxed);
  return found != nullptr;
}

}  // namespace netweight
