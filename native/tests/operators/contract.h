// The operator contract: what every operator must do on every device.
//
// A case is an operator with shapes and parameters. For each device of CGAN_TEST_DEVICES (separated by
// spaces; without it, the CPU in all its instruction sets) it is run, and then checked in this order:
//   1. the call succeeds;
//   2. the guard words around every tensor are intact, and so are all sources;
//   3. every element of a destination was written with a finite number;
//   4. whole-number inputs: results equal those of the reference (cases that are exact, on devices that do
//   not
//      transform the data);
//   5. random inputs: results agree with the reference in float64 within 8 * 2^-24 * max(sqrt(K) * terms,
//   |result|);
//      sources are in [-1, 1], so that max|a| * max|b| of the law is 1;
//   6. the same inputs give the same bits again;
//   7. of 32 or more results, not nearly all are zero.
// A failure prints the command that repeats it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cgan.h"

namespace cgan::test {

// How the elements of a source are drawn.
enum class Values {
    Signed,    // reals in [-1, 1); whole numbers -4..4
    Positive,  // reals in [0.1, 1.1); whole numbers 1..4
    Distinct,  // a shuffled sequence of different numbers: no ties
    Index,     // I32 or I64 in 0..limit-1
    Position,  // U8 in 0..limit-1: places in a window
    Activated, // results of the operand's activation, for derivatives that start from them
    Hyper      // learning rate 0.01 and step 3
};

enum class Role { Source, Destination, Updated };

struct OperandSpec {
    std::string name;
    Role role = Role::Source;
    std::vector<std::int64_t> dims;
    Values values = Values::Signed;
    std::int64_t limit = 0;  // of Index and Position
    std::int32_t dtype = -1; // -1: the floating type of the run
    std::int32_t activation = CGAN_ACT_NONE;
};

using Tensors = std::span<const cgan_tensor>;

struct OperatorCase {
    std::string op;   // "conv2d_forward"
    std::string text; // "n2_h5_w7_c3_k4_r3x3"
    std::vector<OperandSpec> operands;
    std::function<cgan_status(cgan_context*, Tensors)> call;

    bool doubles = true; // run in float64, too
    bool exact = true;   // whole numbers give equal results on all devices
    bool transformable =
        false;              // unless the device may transform the data (FFT, Winograd): then the law holds
    bool identical = false; // random inputs give equal results, too
    double magnified = 1;   // how much greater the CPU's transforms' errors may be than the law
    double reduction = 1;   // K of the law: how many products or terms a result sums
    double terms = 1;       // factor of the law, for results that are made of several such sums
    double least_nonzero = 0.3;
    // For destinations of integers that rounding may settle either way: what is wrong, or nothing. Gets the
    // elements of all operands after the run on the device and on the reference, and max|a| * max|b| of the
    // law.
    std::function<std::string(const std::vector<std::vector<double>>& got,
                              const std::vector<std::vector<double>>& want, double scale)>
        check_integers;
};

std::vector<OperatorCase> elementwise_cases();
std::vector<OperatorCase> movement_cases();
std::vector<OperatorCase> reduction_cases();
std::vector<OperatorCase> matrix_cases();
std::vector<OperatorCase> convolution_cases();
std::vector<OperatorCase> pooling_cases();
std::vector<OperatorCase> normalization_cases();
std::vector<OperatorCase> optimizer_cases();
std::vector<OperatorCase> random_cases();

// The devices under test.
std::vector<std::string> test_devices();

// Runs a case on all devices, for one floating type. Failures are reported to GoogleTest.
void run_contract(const OperatorCase& c, std::int32_t dtype);

} // namespace cgan::test
