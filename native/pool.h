// The threads of the native kernels: one pool for the process, the caller among them.
//
// Items are handed out in order, `grain` at a time, to whoever is free, so that a core that is busy
// with something else holds up one grain and not half of the work. An item's result must not depend
// on who computes it: then results do not depend on the number of threads.
#pragma once

#include <cstddef>

namespace netweight {

// Between 1 and 1024, the caller included. Waits for work under way.
void set_num_threads(int num_threads);
int num_threads();

// Calls task(context, first, last) for pieces that cover [0, num_items), and returns when all are done.
// A task must not throw, and must not call this again.
void run_pieces(std::size_t num_items, std::size_t grain, void (*task)(const void*, std::size_t, std::size_t),
                const void* context);

// The same for a callable body(first, last).
template <typename Body>
void parallel_for(std::size_t num_items, std::size_t grain, const Body& body) {
  run_pieces(
      num_items, grain,
      [](const void* context, std::size_t first, std::size_t last) {
        (*static_cast<const Body*>(context))(first, last);
      },
      &body);
}

}  // namespace netweight
