// matrix.cpp -- matrix products
#include "cpu/vendor/operands.h"
#include "cpu/vendor/vendor.h"

namespace cgan::vendor {

using namespace onednn;

bool Operators::matmul(const cgan_matmul_params& p, const View& a, const View& b, const View& dst) {
    if (!all_f32(a, b, dst)) return false;
    const std::int64_t m = dst.dims[0], n = dst.dims[1], k = p.transpose_a ? a.dims[0] : a.dims[1];
    const bool ta = p.transpose_a != 0, tb = p.transpose_b != 0;
    const Machine::Threads threads(*machine_);
    const Computation* product = machine_->find({kMatmul, m, n, k, ta, tb}, [&] {
        return Computation::make(
            *machine_,
            {{kArgSrc, 0, {{m, k}, {ta ? 1 : k, ta ? m : 1}}},
             {kArgWei, 0, {{k, n}, {tb ? 1 : n, tb ? k : 1}}},
             {kArgDst, 0, {{m, n}, {n, 1}}, true}},
            {}, [&](PrimitiveDesc** desc, Engine* engine, const auto& of, const Attributes* attributes) {
                return machine_->calls().matmul_primitive_desc_create(desc, engine, of[0], of[1], nullptr,
                                                                      of[2], attributes);
            });
    });
    if (!product) return false;
    product->run(*machine_, {a.data, b.data, dst.data});
    return true;
}

bool Operators::dense_forward(const cgan_dense_params& p, const View& src, const View& wei, const View& bia,
                              const View& dst) {
    if (!all_f32(src, wei, bia, dst)) return false;
    const std::int64_t m = src.dims[0], k = src.dims[1], n = wei.dims[0];
    const bool biased = bia.present();
    const Machine::Threads threads(*machine_);
    const Computation* dense = machine_->find({kDense, m, n, k, biased, p.activation, key_of(p.alpha)}, [&] {
        std::vector<OperandSpec> operands = {{kArgSrc, 0, {{m, k}, {k, 1}}},
                                             {kArgWei, 0, {{k, n}, {1, k}}},
                                             {kArgDst, 0, {{m, n}, {n, 1}}, true}};
        if (biased) operands.push_back({kArgBias, 0, {{1, n}, {n, 1}}});
        return Computation::make(
            *machine_, operands, {p.activation, static_cast<float>(p.alpha)},
            [&](PrimitiveDesc** desc, Engine* engine, const auto& of, const Attributes* attributes) {
                return machine_->calls().matmul_primitive_desc_create(
                    desc, engine, of[0], of[1], biased ? of[3] : nullptr, of[2], attributes);
            });
    });
    if (!dense) return false;
    dense->run(*machine_, {src.data, wei.data, dst.data, bia.data});
    finish(p.activation, dst);
    return true;
}

} // namespace cgan::vendor
