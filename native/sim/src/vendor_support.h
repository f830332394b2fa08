// What the stand-ins for cuDNN and cuBLAS need of the simulated device. They are libraries of their own, opened as
// the real ones are, and work on the memory and streams of the simulator that the plugin holds.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "../include/cuda_runtime.h"
#include "control.h"

namespace cgan_sim {

bool is_stream(cudaStream_t stream);
bool is_capturing(cudaStream_t stream);
bool inside_device(const void* p, std::size_t bytes); // one block of device memory holds all of it

// Puts a computation on the stream; it runs when something waits for it.
void enqueue_vendor_work(cudaStream_t stream, std::function<void()> run);

// Counts a call; true if it is the one that shall fail.
bool vendor_call_fails();
void note_misuse(const std::string& text);
void count_vendor_objects(int change);

} // namespace cgan_sim
