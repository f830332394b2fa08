// The grammar of device names, and what is said when one is wrong.
#include <gtest/gtest.h>

#include "support/session.h"

namespace cgan::test {
namespace {

std::string describe(const Session& s) {
    return text_of([&](char* dst, std::int64_t cap) { return cgan_context_describe(s, dst, cap); });
}

void expect_rejected(cgan_status status, const std::string& device, const std::string& message) {
    auto* ctx = reinterpret_cast<cgan_context*>(1);
    EXPECT_EQ(status, cgan_context_create(device.c_str(), &ctx)) << device;
    EXPECT_EQ(nullptr, ctx) << device;
    EXPECT_EQ("context_create: " + message, last_error());
}

TEST(DeviceName, UnknownDevices) {
    const std::string known = "; known are auto, cpu, cuda:N, sim:N, faulty:DEVICE";
    for (const std::string device : {"", "gpu", "CPU", "cpu ", "faulty", "faulty:", "?threads=1"}) {
        expect_rejected(CGAN_E_BAD_DEVICE, device, "unknown device \"" + device + "\"" + known);
    }
    expect_rejected(CGAN_E_BAD_DEVICE, "faulty:faulty:cpu", "unknown device \"faulty:faulty:cpu\"" + known);
    expect_rejected(CGAN_E_BAD_DEVICE, "cpu:0", "device cpu takes no number: \"cpu:0\"");
    for (const std::string device : {"cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cuda:99999999999999999999"}) {
        expect_rejected(CGAN_E_BAD_DEVICE, device,
                        "device \"" + device + "\" needs a number from 0 after cuda:, e.g. cuda:0");
    }
}

TEST(DeviceName, UnknownOptions) {
    expect_rejected(CGAN_E_BAD_DEVICE, "cpu?colour=red",
                    "unknown option \"colour\" of device cpu; known are threads, isa, kernels, transforms, "
                    "precision, memory");
    expect_rejected(CGAN_E_BAD_DEVICE, "cpu?threads", "option \"threads\" is not of the form name=value");
    expect_rejected(CGAN_E_BAD_DEVICE, "cpu?=2", "option \"=2\" is not of the form name=value");
    expect_rejected(CGAN_E_BAD_DEVICE, "cpu?threads=1&&isa=auto",
                    "option \"\" is not of the form name=value");
    expect_rejected(CGAN_E_BAD_DEVICE, "cpu?fail=1", "option fail needs the device faulty:cpu?fail=1");
}

TEST(DeviceName, BadValues) {
    for (const std::string value : {"0", "257", "-1", "two", "", "1.5", "99999999999999999999"}) {
        expect_rejected(CGAN_E_BAD_DEVICE, "cpu?threads=" + value,
                        "option threads=" + value + " is not a whole number in 1..256");
    }
    expect_rejected(CGAN_E_BAD_DEVICE, "cpu?memory=-1",
                    "option memory=-1 is not a whole number of at least 0");
    expect_rejected(CGAN_E_BAD_DEVICE, "faulty:cpu?fail=0",
                    "option fail=0 is not a whole number of at least 1");
    expect_rejected(CGAN_E_BAD_DEVICE, "cpu?isa=sse9",
                    "isa=sse9 is unknown; known are auto, baseline, avx2, avx512");
    expect_rejected(CGAN_E_BAD_DEVICE, "cpu?kernels=best",
                    "kernels=best is unknown; known are auto, handwritten, vendor, reference");
    expect_rejected(CGAN_E_BAD_DEVICE, "cpu?transforms=1", "transforms=1 is unknown; known are on, off");
    expect_rejected(CGAN_E_BAD_DEVICE, "cpu?precision=fp16",
                    "precision=fp16 is unknown; known are fp32, tf32");
}

TEST(DeviceName, TheCpuComputesInFloat32) {
    EXPECT_TRUE(describe(Session("cpu?precision=fp32")).starts_with("cpu: "));
    const std::string refusal = "device cpu has no precision=tf32, which tensor cores of a GPU have; use "
                                "precision=fp32, or a device cuda:N";
    expect_rejected(CGAN_E_BAD_DEVICE, "cpu?precision=tf32", refusal);
    cgan_context* ctx = nullptr;
    if (cgan_context_create("auto?precision=tf32", &ctx) == CGAN_OK)
        cgan_context_destroy(ctx); // there is a GPU
    else
        EXPECT_TRUE(last_error().starts_with("context_create: " + refusal + " (auto: cuda:0 declined: "))
            << last_error();
}

// Options that both kinds of device know reach either.
TEST(DeviceName, AutoPassesTransformsOn) {
    const std::string text = describe(Session("auto?transforms=off&threads=2"));
    EXPECT_EQ(text.starts_with("cpu: "), text.find(", no transforms") != std::string::npos) << text;
}

TEST(DeviceName, OptionsReachTheDevice) {
    EXPECT_NE(std::string::npos, describe(Session("cpu?threads=3")).find(", 3 threads, "));
    EXPECT_NE(std::string::npos, describe(Session("cpu?threads=1&isa=baseline")).find(", 1 thread, "));
    EXPECT_NE(std::string::npos, describe(Session("cpu?kernels=reference")).find("reference kernels"));
    EXPECT_NE(std::string::npos, describe(Session("cpu?transforms=off")).find(", no transforms"));
    EXPECT_TRUE(describe(Session("faulty:cpu?threads=2")).starts_with("faulty: cpu: "));
}

// An instruction set is used as demanded, or refused with what is missing and what to use instead.
TEST(DeviceName, InstructionSetsAreServedOrRefused) {
    const struct {
        const char *option, *name, *refusal;
    } sets[] = {
        {"avx2", "avx2+fma", "isa=avx2: this processor lacks AVX2 or FMA; use isa=baseline"},
        {"avx512", "avx512", "isa=avx512: this processor lacks AVX-512 F, DQ, BW or VL; use isa=auto"},
    };
    for (const auto& set : sets) {
        const std::string device = std::string("cpu?threads=1&isa=") + set.option;
        cgan_context* ctx = nullptr;
        if (cgan_context_create(device.c_str(), &ctx) == CGAN_OK) {
            cgan_context_destroy(ctx);
            EXPECT_NE(std::string::npos,
                      describe(Session(device)).find(std::string(", 1 thread, ") + set.name));
        } else {
            expect_rejected(CGAN_E_NO_DEVICE, device.c_str(), set.refusal);
        }
    }
}

TEST(DeviceName, AutoAlwaysFindsADeviceAndTellsWhyNotABetterOne) {
    const Session s("auto?threads=2&kernels=reference");
    const std::string text = describe(s);
    if (text.starts_with("cpu: ")) {
        EXPECT_NE(std::string::npos, text.find("\nauto: cuda:0 declined: ")) << text;
        EXPECT_NE(std::string::npos, text.find(", 2 threads, ")) << text;
    } else {
        EXPECT_TRUE(text.starts_with("cuda")) << text;
    }
}

TEST(DeviceName, DevicesAndLibrariesAreTables) {
    const std::string devices =
        text_of([](char* dst, std::int64_t cap) { return cgan_describe_devices(dst, cap); });
    EXPECT_TRUE(devices.starts_with("cpu\tok\t")) << devices;
    EXPECT_NE(std::string::npos, devices.find("\ncuda")) << devices;
    EXPECT_NE(std::string::npos, devices.find("\nsim\t")) << devices;
    const std::string libraries =
        text_of([](char* dst, std::int64_t cap) { return cgan_describe_libraries(dst, cap); });
    EXPECT_TRUE(libraries.starts_with("libcgan_cuda.so\t")) << libraries;
    EXPECT_NE(std::string::npos, libraries.find("\nlibcgan_sim.so\t")) << libraries;
}

TEST(DeviceName, VersionIsAVersion) {
    const std::string version = text_of([](char* dst, std::int64_t cap) { return cgan_version(dst, cap); });
    int major = -1, minor = -1, patch = -1;
    EXPECT_EQ(3, std::sscanf(version.c_str(), "%d.%d.%d", &major, &minor, &patch)) << version;
}

} // namespace
} // namespace cgan::test
