// Any bytes are an outcome, in each of the forms in which event lines come.
#include "adapters/event_line.h"
#include "adapters/fuzz_kit.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace helios::adapters;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_adapted(adapt_event_line, text);
    check_adapted(adapt_event_array, text);
    check_adapted(adapt_event_lines, text);
    if (text.empty()) {
        return 0;  // no line
    }
    const auto line = parse_offline_line(text);
    if (const auto* event = std::get_if<EventLine>(&line.content)) {
        check_item(event->item);
    }
    return 0;
}
