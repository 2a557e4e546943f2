/// Any edits of any kept body: what comes out is one line that the adapter of event lines can
/// judge, and a filter that is read is the same when it is written and read again.
///
/// The first byte of the input chooses the endpoint, the rest of its first line is the edits, what
/// follows the body.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "adapters/aws_eventbridge.h"
#include "adapters/azure_eventgrid.h"
#include "adapters/event_line.h"
#include "adapters/gcp_pubsub.h"
#include "base/assert.h"
#include "gateway/dlq_filter.h"
#include "gateway/receipt.h"
#include "gateway/resubmission.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace helios;
    using namespace helios::gateway;
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    const unsigned endpoint =
        rest.empty() ? 0 : static_cast<unsigned char>(rest.front() - '0') % 5u;
    rest.remove_prefix(rest.empty() ? 0 : 1);
    const auto end = rest.find('\n');
    const auto given = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (const auto document = json::Document::parse(given)) {
        if (const auto filter = parse_dlq_filter(document->root())) {
            const auto again = json::Document::parse(to_json(*filter));
            HELIOS_ASSERT(again && parse_dlq_filter(again->root()) == *filter,
                          "a filter is read as it was written");
        }
    }
    auto edits = parse_edits(given);
    if (!edits) {
        return 0;
    }
    Resubmission again{model::Quarantined(default_tenant()), *std::move(edits), 1, {}};
    again.item.endpoint = path_of(static_cast<Endpoint>(endpoint));
    again.item.source = source_of(static_cast<Endpoint>(endpoint));
    again.item.body = rest;
    again.item.headers = given;
    const auto request = request_of(again);
    adapters::RawRequest raw(again.item.tenant);
    raw.body = request.body;
    const auto adapt = endpoint == 0   ? adapters::adapt_aws_eventbridge
                       : endpoint == 1 ? adapters::adapt_gcp_pubsub
                       : endpoint == 2 ? adapters::adapt_azure_eventgrid
                                       : adapters::adapt_event_line;
    const auto adapted = adapt(raw);
    const auto line = edited_line(again, adapted);
    raw.body = line;
    const auto edited = adapters::adapt_event_line(raw);
    const auto* items = std::get_if<std::vector<adapters::Item>>(&edited.outcome);
    HELIOS_ASSERT(items == nullptr || items->size() == 1, "a line is one item");
    static_cast<void>(scope_of(adapted));
    return 0;
}
