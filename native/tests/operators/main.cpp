// Registers each case of the contract in both floating types with GoogleTest.
#include <gtest/gtest.h>

#include <cstdio>

#include "operators/contract.h"

namespace {

using cgan::test::OperatorCase;

class ContractTest : public testing::Test {
  public:
    ContractTest(const OperatorCase& c, std::int32_t dtype) : case_(c), dtype_(dtype) {}
    void TestBody() override { cgan::test::run_contract(case_, dtype_); }

  private:
    const OperatorCase case_;
    const std::int32_t dtype_;
};

void register_case(const OperatorCase& c, std::int32_t dtype) {
    const std::string name = c.text + (dtype == CGAN_F64 ? "_f64" : "_f32");
    testing::RegisterTest(c.op.c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [=]() -> testing::Test* { return new ContractTest(c, dtype); });
}

} // namespace

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    using namespace cgan::test;
    for (const auto& cases :
         {elementwise_cases(), movement_cases(), reduction_cases(), matrix_cases(), convolution_cases(),
          pooling_cases(), normalization_cases(), optimizer_cases(), random_cases()}) {
        for (const OperatorCase& c : cases) {
            register_case(c, CGAN_F32);
            if (c.doubles) register_case(c, CGAN_F64);
        }
    }
    std::string devices;
    for (const std::string& device : test_devices()) devices += " " + device;
    std::printf("devices:%s\n", devices.c_str());
    return RUN_ALL_TESTS();
}
