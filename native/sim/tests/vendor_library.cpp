// A library to be found by library_search_test.
extern "C" int vendor_version() { return 9; }
