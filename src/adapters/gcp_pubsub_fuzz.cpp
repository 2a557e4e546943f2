// Any bytes are an outcome, with headers too. What comes out holds together: see check_adapted.
#include "adapters/fuzz_kit.h"
#include "adapters/gcp_pubsub.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace helios::adapters;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_adapted(adapt_gcp, text);
    check_with_headers(adapt_gcp, text);
    with_headers(text, [](const RawRequest& request) { check_again(adapt_gcp, request); });
    return 0;
}
