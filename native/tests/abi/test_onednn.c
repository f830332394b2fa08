/* Stands for a oneDNN that cgan must refuse: it has a version and nothing else. */
typedef struct {
    int major, minor, patch;
    const char* hash;
    unsigned cpu_runtime, gpu_runtime;
} version;

__attribute__((visibility("default"))) const version* dnnl_version(void) {
    static const version v = {TEST_ONEDNN_MAJOR, 6, 3, "", TEST_ONEDNN_RUNTIME, 0};
    return &v;
}
