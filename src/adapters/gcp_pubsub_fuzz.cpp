// Any bytes are an outcome. What comes out holds together: see check_adapted.
#include "adapters/fuzz_kit.h"
#include "adapters/gcp_pubsub.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    helios::adapters::check_adapted(helios::adapters::adapt_gcp_pubsub,
                                    {reinterpret_cast<const char*>(data), size});
    return 0;
}
