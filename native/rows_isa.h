// One instruction set's functions for the tables of rows.h, attention.h and sampling.h. Include it only where NETWEIGHT_ISA is set.
#pragma once

#include "attention.h"
#include "isa.h"
#include "rows.h"
#include "sampling.h"

namespace netweight::NETWEIGHT_ISA {

void rms_norm(const std::uint16_t* x, Stored scale, std::size_t size, float eps, std::uint16_t* out);
void rotate(const std::uint16_t* x, const std::uint16_t* cos, const std::uint16_t* sin, std::size_t head_dim,
            std::uint16_t* out);
void route(Stored logits, std::size_t size, std::size_t count, float* weights, std::int64_t* chosen);
void exp2_row(const float* x, std::size_t size, float* out);
void attend(const Queries& queries, const Keys& keys, float* scratch);
float largest_logit(const float* x, std::size_t size);
void weigh(const float* logits, std::size_t size, float largest, float temperature, float* weights, float* sums,
           float* largest_weights);

inline constexpr RowKernels kRowKernels = {rms_norm, rotate, route, exp2_row};
inline constexpr AttentionKernels kAttentionKernels = {attend};
inline constexpr SamplingKernels kSamplingKernels = {largest_logit, weigh};

}  // namespace netweight::NETWEIGHT_ISA
