// Any bytes are an outcome, with headers too. What comes out holds together: see check_adapted.
#include "adapters/azure_eventgrid.h"
#include "adapters/fuzz_kit.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace helios::adapters;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const AzureRules custom{AzureCustom::parse("a.id", "type", "time", "a").value()};
    const auto adapt = [](const RawRequest& request) { return adapt_azure(request); };
    check_adapted(adapt, text);
    check_with_headers(adapt, text);
    check_adapted([](const RawRequest& request) { return adapt_azure(request, custom); }, text);
    return 0;
}
