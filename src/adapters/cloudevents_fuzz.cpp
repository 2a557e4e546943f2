// Any bytes are an outcome, in each of the modes. What comes out holds together: see check_adapted.
#include "adapters/cloudevents.h"
#include "adapters/fuzz_kit.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace helios::adapters;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const CloudEventsRules rules{.map = {{"/a", "aws"}, {"/a/b", "shop"}}};
    const auto adapt = [](const RawRequest& request) { return adapt_cloudevents(request, rules); };
    check_adapted(adapt, text);
    check_with_headers(adapt, text);
    with_headers(text, [&](const RawRequest& request) { check_again(adapt, request); });
    return 0;
}
