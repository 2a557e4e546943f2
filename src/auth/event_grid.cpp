#include "auth/event_grid.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/shown.h"

namespace helios::auth {

Result<VendorUrl> validation_url(std::string_view text,
                                 const std::vector<std::string>& test_hosts) {
    constexpr std::string_view domain = ".eventgrid.azure.net";
    constexpr std::uint16_t https_port = 443;
    constexpr std::uint16_t validation_port = 553;  // where Event Grid has it
    const auto refuse = [](std::string what) {
        return fail(ErrorKind::invalid, "its validationUrl is " + what,
                    "answer the handshake in Azure, or update the subscription to be asked again");
    };
    if (text.empty()) {
        return refuse("missing");
    }
    auto url = VendorUrl::parse(text);
    if (!url) {
        return refuse(url.error().what);
    }
    if (std::ranges::find(test_hosts, url->authority()) != test_hosts.end()) {
        return url;
    }
    if (!url->https) {
        return refuse("not https");
    }
    if (!url->host.ends_with(domain) || url->host.size() == domain.size()) {
        return refuse(fmt::format("at {}, which is not Event Grid's", shown(url->host)));
    }
    if (url->port != https_port && url->port != validation_port) {
        return refuse(fmt::format("at port {}, neither 443 nor 553", url->port));
    }
    return url;
}

}  // namespace helios::auth
