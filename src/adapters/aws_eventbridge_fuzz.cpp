// Any bytes are an outcome, with headers too. What comes out holds together: see check_adapted.
#include "adapters/aws_eventbridge.h"
#include "adapters/fuzz_kit.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace helios::adapters;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto adapt = [](const RawRequest& request) { return adapt_aws(request); };
    check_adapted(adapt, text);
    check_with_headers(adapt, text);
    check_adapted(
        [](const RawRequest& request) { return adapt_aws(request, {.detail_only = "Shipped"}); },
        text);
    return 0;
}
