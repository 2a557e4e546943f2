#include "http/options.h"

#include <charconv>
#include <fmt/format.h>

#include "http/proxies.h"

namespace helios::http {

namespace {

template <class T>
Status within(std::string_view name, T value, T low, T high) {
    if (value < low || value > high) {
        return fail(ErrorKind::invalid, fmt::format("http.{} is {}", name, value),
                    fmt::format("choose {} to {}", low, high));
    }
    return {};
}

Status positive(std::string_view name, Duration value) {
    if (value < std::chrono::milliseconds(1) || value > std::chrono::hours(24)) {
        return fail(ErrorKind::invalid, fmt::format("http.{} is {}", name, format_duration(value)),
                    "choose 1ms to 24h");
    }
    return {};
}

/// Which files there are; what is in them is looked at when they are opened.
Status check_tls(const TlsOptions& tls) {
    if (tls.on() && tls.key_file.empty()) {
        return fail(ErrorKind::invalid, "http.tls.key_file is empty, and there is a certificate",
                    "name the file with its private key");
    }
    if (!tls.on() && !(tls.key_file.empty() && tls.client_ca_file.empty())) {
        return fail(ErrorKind::invalid, "http.tls.cert_file is empty, and other files are given",
                    "name the file with the server's certificate, or leave all of http.tls out");
    }
    return {};
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
    const auto refuse = [&] {
        return fail(ErrorKind::invalid, fmt::format("\"{}\" is not HOST:PORT", text),
                    "for example 127.0.0.1:8001, [::1]:8001, or 127.0.0.1:0 for a free port");
    };
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return refuse();
    }
    auto host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    Address address;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return refuse();
    }
    if (error != std::errc{} || end != digits.data() + digits.size()) {
        return refuse();
    }
    address.host = host.empty() ? "127.0.0.1" : std::string(host);
    return address;
}

std::vector<Address> ServerOptions::addresses() const {
    std::vector<Address> all{{host, port}};
    for (const auto& text : also_listen) {
        if (auto address = parse_address(text)) {
            all.push_back(*std::move(address));
        }
    }
    return all;
}

Status ServerOptions::validate() const {
    if (host.empty()) {
        return fail(ErrorKind::invalid, "http.host is empty",
                    "use 127.0.0.1, or 0.0.0.0 for every interface");
    }
    for (const auto& text : also_listen) {
        if (const auto address = parse_address(text); !address) {
            return fail(ErrorKind::invalid, "http.also_listen: " + address.error().what,
                        address.error().hint);
        }
    }
    HELIOS_TRY(within("io_threads", io_threads, 1U, 64U));
    HELIOS_TRY(within("worker_threads", worker_threads, 1U, 256U));
    HELIOS_TRY(within<std::size_t>("worker_queue_max", worker_queue_max, 1, 1'000'000));
    if (worker_wait_max <= Duration::zero()) {
        return fail(ErrorKind::invalid, "http.worker_wait_max must be above 0");
    }
    HELIOS_TRY(within<std::size_t>("header_bytes_max", header_bytes_max, 1024, 1U << 20));
    HELIOS_TRY(within<std::size_t>("header_fields_max", header_fields_max, 16, 4096));
    HELIOS_TRY(within<std::size_t>("body_bytes_max", body_bytes_max, 1, std::size_t{1} << 32));
    HELIOS_TRY(
        within<std::size_t>("inflight_bytes_max", inflight_bytes_max, 1024, std::size_t{1} << 40));
    // The largest answers must fit while half of it is taken.
    HELIOS_TRY(within<std::size_t>("unsent_bytes_max", unsent_bytes_max, std::size_t{64} << 20,
                                   std::size_t{1} << 40));
    HELIOS_TRY(within<std::size_t>("connections_max", connections_max, 1, 1'000'000));
    HELIOS_TRY(within<std::size_t>("pipeline_max", pipeline_max, 1, 4096));
    HELIOS_TRY(positive("header_timeout", header_timeout));
    HELIOS_TRY(positive("body_timeout", body_timeout));
    HELIOS_TRY(positive("idle_timeout", idle_timeout));
    HELIOS_TRY(positive("write_timeout", write_timeout));
    HELIOS_TRY(within<std::size_t>("websockets_max", websockets_max, 1, 100'000));
    HELIOS_TRY(within<std::size_t>("websocket_waiting_bytes_max", websocket_waiting_bytes_max, 1024,
                                   std::size_t{1} << 30));
    HELIOS_TRY(within<std::size_t>("websocket_message_bytes_max", websocket_message_bytes_max, 1,
                                   1U << 20));
    HELIOS_TRY(positive("websocket_ping_interval", websocket_ping_interval));
    HELIOS_TRY(positive("websocket_pong_timeout", websocket_pong_timeout));
    if (inflight_bytes_max / 2 < body_bytes_max) {
        // A growing body may hold twice its size for a moment: one that is allowed must always fit.
        return fail(ErrorKind::invalid,
                    fmt::format("http.inflight_bytes_max is {}", inflight_bytes_max),
                    "choose at least twice http.body_bytes_max");
    }
    for (const std::string& allowed : allowed_hosts) {
        if (allowed.empty() || allowed.find_first_of("/ \t@,") != std::string::npos) {
            return fail(ErrorKind::invalid,
                        fmt::format("http.allowed_hosts has the entry '{}'", allowed),
                        "write host names, or host:port, without a scheme");
        }
    }
    HELIOS_TRY(check_tls(tls));
    HELIOS_TRY(TrustedProxies::parse(trusted_proxies));
    if (proxy_protocol && trusted_proxies.empty()) {
        return fail(ErrorKind::invalid,
                    "http.proxy_protocol is true, and nobody is trusted to speak it",
                    "name the proxies: http.trusted_proxies");
    }
    return {};
}

}  // namespace helios::http
