#include "kernels.h"

#include <atomic>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "isa_tables.h"

namespace netweight {
namespace {

#if defined(__x86_64__)
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}
#endif

#if defined(NETWEIGHT_EMULATED)
bool has_avx512() { return has_avx2(); }
bool has_amx() { return has_avx2(); }
#elif defined(NETWEIGHT_HAS_AVX512)
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16");
}

// The processor has tiles of bfloat16, and Linux lets this process keep them.
bool has_amx() {
  constexpr unsigned kTiles = (1u << 22) | (1u << 24);  // AMX-BF16 and AMX-TILE, leaf 7
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!has_avx512() || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kTiles) != kTiles) return false;
  static const bool permitted = syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return permitted;
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
#if defined(NETWEIGHT_HAS_AVX512)
  if (std::strcmp(name, "avx512") == 0 && has_avx512()) return &avx512::table();
#endif
#if defined(NETWEIGHT_HAS_AMX)
  if (std::strcmp(name, "amx") == 0 && has_amx()) return &amx::table();
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
