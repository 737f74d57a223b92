#include "pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace netweight {
namespace {

// Kernels follow one another within microseconds, and waking a sleeping thread takes some fifty: so
// idle threads look for work for about that long before they sleep.
constexpr int kSpins = 2000;

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

struct Job {
  std::size_t num_items = 0;
  std::size_t grain = 1;
  void (*task)(const void*, std::size_t, std::size_t) = nullptr;
  const void* context = nullptr;
};

constexpr std::uint32_t kClosed = 1u << 31;

class Pool {
 public:
  explicit Pool(int num_threads) {
    for (int i = 1; i < num_threads; ++i) workers_.emplace_back([this] { work(); });
  }

  ~Pool() {
    stopping_.store(true);
    epoch_.fetch_add(1);
    epoch_.notify_all();
    for (auto& worker : workers_) worker.join();
  }

  void run(const Job& job) {
    job_ = job;
    next_.store(0, std::memory_order_relaxed);
    gate_.store(0, std::memory_order_release);
    epoch_.fetch_add(1, std::memory_order_release);
    epoch_.notify_all();
    take_pieces();
    // Whoever has not come by now need not: on a busy machine that may be milliseconds away.
    gate_.fetch_or(kClosed, std::memory_order_acq_rel);
    while (gate_.load(std::memory_order_acquire) != kClosed) pause();
  }

 private:
  void work() {
    std::uint32_t seen = 0;
    for (;;) {
      seen = wait_for_change(seen);
      if (stopping_.load()) return;
      if (!enter()) continue;
      take_pieces();
      gate_.fetch_sub(1, std::memory_order_release);
    }
  }

  bool enter() {
    auto gate = gate_.load(std::memory_order_acquire);
    while ((gate & kClosed) == 0) {
      if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acq_rel)) return true;
    }
    return false;
  }

  std::uint32_t wait_for_change(std::uint32_t seen) {
    for (int i = 0; i < kSpins; ++i) {
      const auto now = epoch_.load(std::memory_order_acquire);
      if (now != seen) return now;
      pause();
    }
    epoch_.wait(seen, std::memory_order_acquire);
    return epoch_.load(std::memory_order_acquire);
  }

  void take_pieces() {
    const Job job = job_;
    for (;;) {
      const auto first = next_.fetch_add(job.grain, std::memory_order_relaxed);
      if (first >= job.num_items) return;
      job.task(job.context, first, std::min(first + job.grain, job.num_items));
    }
  }

  Job job_;
  std::vector<std::thread> workers_;
  alignas(64) std::atomic<std::uint32_t> epoch_{0};
  alignas(64) std::atomic<std::size_t> next_{0};
  alignas(64) std::atomic<std::uint32_t> gate_{kClosed};  // how many workers are inside, or that none may enter
  std::atomic<bool> stopping_{false};
};

std::mutex mutex;  // one job at a time: whoever finds the pool busy does its work alone
Pool* pool = nullptr;
int wanted = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));

// A forked child has none of the threads: it starts its own. What the parent's pool held is lost there.
void forget_pool() {
  pool = nullptr;
  new (&mutex) std::mutex;
}

}  // namespace

void set_num_threads(int num_threads) {
  const std::lock_guard lock(mutex);
  delete pool;
  pool = nullptr;
  wanted = std::clamp(num_threads, 1, 1024);
}

int num_threads() {
  const std::lock_guard lock(mutex);
  return wanted;
}

void run_pieces(std::size_t num_items, std::size_t grain, void (*task)(const void*, std::size_t, std::size_t),
                const void* context) {
  if (num_items == 0) return;
  grain = std::max<std::size_t>(grain, 1);
  const std::unique_lock lock(mutex, std::try_to_lock);
  if (!lock || wanted == 1 || num_items <= grain) {
    task(context, 0, num_items);
    return;
  }
  if (pool == nullptr) {
    static const int registered = pthread_atfork(nullptr, nullptr, forget_pool);
    static_cast<void>(registered);
    pool = new Pool(wanted);
  }
  pool->run({num_items, grain, task, context});
}

}  // namespace netweight
