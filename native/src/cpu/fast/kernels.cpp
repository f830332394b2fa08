// The kernel table of one instruction set: compiled once for each, with -DCGAN_ISA=<name> and its machine
// flags.
#include "cpu/fast/kernels.h"

#include "cpu/fast/elementwise_kernels.h"
#include "cpu/fast/optimizer_kernels.h"
#include "cpu/fast/packing_kernels.h"
#include "cpu/fast/product_kernels.h"
#include "cpu/fast/reduction_kernels.h"
#include "cpu/fast/sparse_kernels.h"
#include "cpu/fast/spectral_kernels.h"
#include "cpu/fast/thin_kernels.h"
#include "cpu/fast/winograd_kernels.h"

#define CGAN_TEXT(x) #x
#define CGAN_NAME(x) CGAN_TEXT(x)
#define CGAN_JOIN(a, b) a##b
#define CGAN_TABLE(isa) CGAN_JOIN(isa, _kernels)

namespace cgan::fast {

const Kernels& CGAN_TABLE(CGAN_ISA)() {
    using namespace CGAN_ISA;
    static constexpr Kernels table = {
        .isa = CGAN_NAME(CGAN_ISA),
        .lanes = kLanes,
        .planes = kPlanes,
        .unary = unary,
        .act_backward = act_backward,
        .binary = binary,
        .epilogue = epilogue,
        .epilogue_past = epilogue_past,
        .sum = sum,
        .sum_squares = sum_squares,
        .sum_exp = sum_exp,
        .dot = dot,
        .max = max,
        .add_columns = add_columns,
        .pack_a = pack_a,
        .pack_b = pack_b,
        .turn = turn,
        .block_product = block_product,
        .few_terms = few_terms,
        .dot_products = dot_products,
        .gather_product = gather_product,
        .end_stores_past = end_stores_past,
        .spectrum = spectrum,
        .image = image,
        .spectral_product = spectral_product,
        .winograd_spectrum = winograd_spectrum,
        .winograd_image = winograd_image,
        .filter_product = filter_product,
        .pool_windows = pool_windows,
        .thin_windows = thin_windows,
        .thin_row = thin_row,
        .sparse_filter = kSparseFilter,
        .sparse_patches = kSparsePatches,
        .unpool_windows = unpool_windows,
        .adam = adam,
        .sgd = sgd,
        .rmsprop = rmsprop,
        .ema = ema,
        .moment_columns = moment_columns,
        .norm_columns = norm_columns,
        .scale_columns = scale_columns,
        .combine_columns = combine_columns,
        .row_gradient = row_gradient,
    };
    return table;
}

} // namespace cgan::fast
