// Any bytes are an outcome. What comes out holds together: see check_adapted.
#include "adapters/azure_eventgrid.h"
#include "adapters/fuzz_kit.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    helios::adapters::check_adapted(helios::adapters::adapt_azure_eventgrid,
                                    {reinterpret_cast<const char*>(data), size});
    return 0;
}
