#include "sources/https_client.h"

#include <algorithm>
#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/ascii.h"
#include "base/assert.h"
#include "sources/public_address.h"

namespace helios::sources {
namespace {

constexpr std::size_t header_bytes_max = 64u << 10;

void start_library() {
    static const bool started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    HELIOS_ASSERT(started, "libcurl starts");
}

struct HeaderList {
    curl_slist* list = nullptr;
    HeaderList() = default;
    HeaderList(const HeaderList&) = delete;
    HeaderList& operator=(const HeaderList&) = delete;
    ~HeaderList() { curl_slist_free_all(list); }
    void add(const std::string& line) {
        auto* longer = curl_slist_append(list, line.c_str());
        HELIOS_ASSERT(longer != nullptr, "there is memory");
        list = longer;
    }
};

}  // namespace

std::string_view HttpsAnswer::header(std::string_view lower_name) const {
    const auto found = std::ranges::find(headers, lower_name,
                                         [](const auto& h) -> const auto& { return h.first; });
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

struct HttpsClient::State {
    State(HttpsOptions with, const std::atomic<bool>* stops)
        : options(std::move(with)), stop(stops), handle(curl_easy_init()) {
        HELIOS_ASSERT(handle != nullptr, "libcurl has a handle");
    }
    ~State() { curl_easy_cleanup(handle); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    template <class T>
    void set(CURLoption option, T value) {
        const auto done = curl_easy_setopt(handle, option, value);
        HELIOS_ASSERT(done == CURLE_OK, "an option that this libcurl has");
    }

    static std::size_t on_body(char* data, std::size_t, std::size_t size, void* to) {
        auto& self = *static_cast<State*>(to);
        if (self.answer.body.size() + size > self.answer_bytes_max) {
            self.too_large = true;
            return 0;
        }
        self.answer.body.append(data, size);
        return size;
    }
    static std::size_t on_header(char* data, std::size_t, std::size_t size, void* to) {
        auto& self = *static_cast<State*>(to);
        const std::string_view line(data, size);
        self.header_bytes += size;
        if (self.header_bytes > header_bytes_max) {
            self.too_large = true;
            return 0;
        }
        if (const auto colon = line.find(':'); colon != std::string_view::npos) {
            self.answer.headers.emplace_back(
                ascii::lower(ascii::trimmed(line.substr(0, colon), " \t\r\n")),
                ascii::trimmed(line.substr(colon + 1), " \t\r\n"));
        }
        return size;
    }
    static curl_socket_t on_socket(void* to, curlsocktype, curl_sockaddr* address) {
        auto& self = *static_cast<State*>(to);
        if (!self.may_reach(address->addr)) {
            self.refused_address = to_text(address->addr);
            return CURL_SOCKET_BAD;
        }
        return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    }
    bool may_reach(const sockaddr& address) const {
        return anywhere || is_public(address) ||
               (reach == Reach::configured && is_private_network(address)) ||
               (reach == Reach::metadata && to_text(address) == metadata_host);
    }
    static int on_progress(void* to, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
        const auto& self = *static_cast<State*>(to);
        return self.stop != nullptr && self.stop->load(std::memory_order_relaxed) ? 1 : 0;
    }

    void prepare(const HttpsRequest& request, const std::string& url, const HeaderList& lines);
    Error error_of(CURLcode code, const std::string& where);

    const HttpsOptions options;
    const std::atomic<bool>* const stop;
    CURL* const handle;

    // Of one request.
    HttpsAnswer answer;
    std::size_t answer_bytes_max = 0;
    std::size_t header_bytes = 0;
    bool anywhere = false;
    Reach reach = Reach::public_only;
    std::string metadata_host;
    bool too_large = false;
    std::string refused_address;
};

void HttpsClient::State::prepare(const HttpsRequest& request, const std::string& url,
                                 const HeaderList& lines) {
    curl_easy_reset(handle);  // its connections stay
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_PROTOCOLS_STR, request.https ? "https" : "http");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_NOPROXY, "*");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_CONNECTTIMEOUT_MS,
        static_cast<long>(options.connect_timeout / std::chrono::milliseconds(1)));
    const auto limit = request.timeout == Duration::zero() ? options.timeout : request.timeout;
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(limit / std::chrono::milliseconds(1)));
    set(CURLOPT_USERAGENT, "helios");
    if (!options.ca_file.empty()) {
        set(CURLOPT_CAINFO, options.ca_file.c_str());  // the machine's stay, as a directory
    }
    set(CURLOPT_HTTPHEADER, lines.list);
    if (request.post) {
        set(CURLOPT_POST, 1L);
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        set(CURLOPT_POSTFIELDS, request.body.data());
    }
    if (request.put) {
        set(CURLOPT_CUSTOMREQUEST, "PUT");
        set(CURLOPT_POSTFIELDSIZE, 0L);
        set(CURLOPT_POSTFIELDS, "");
    }
    set(CURLOPT_WRITEFUNCTION, &State::on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(CURLOPT_HEADERFUNCTION, &State::on_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_OPENSOCKETFUNCTION, &State::on_socket);
    set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &State::on_progress);
    set(CURLOPT_XFERINFODATA, static_cast<void*>(this));
}

Error HttpsClient::State::error_of(CURLcode code, const std::string& where) {
    const std::string why = curl_easy_strerror(code);
    if (!refused_address.empty()) {
        return {ErrorKind::denied,
                fmt::format("{} is at {}, which is no public address", where, refused_address),
                "Helios asks nothing of private networks on behalf of a sender"};
    }
    if (too_large) {
        return {ErrorKind::exhausted, fmt::format("{} answers more than may be read", where), ""};
    }
    switch (code) {
        case CURLE_ABORTED_BY_CALLBACK:
            return {ErrorKind::stopping, "stopping", ""};
        case CURLE_OPERATION_TIMEDOUT:
            return {ErrorKind::timeout, fmt::format("{} does not answer in time", where), ""};
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CONNECT_ERROR:
            return {ErrorKind::corrupt, fmt::format("{}: {}", where, why),
                    "its certificate must be for that host, and end in a root that this machine "
                    "trusts (http.ca_file adds one)"};
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_UNSUPPORTED_PROTOCOL:
            return {ErrorKind::corrupt, fmt::format("{}: {}", where, why), ""};
        default:
            return {ErrorKind::unavailable, fmt::format("{}: {}", where, why), ""};
    }
}

HttpsClient::HttpsClient(HttpsOptions options, const std::atomic<bool>* stop) {
    start_library();
    state_ = std::make_unique<State>(std::move(options), stop);
}
HttpsClient::~HttpsClient() = default;
HttpsClient::HttpsClient(HttpsClient&&) noexcept = default;

Result<HttpsAnswer> HttpsClient::perform(const HttpsRequest& request) {
    State& state = *state_;
    const auto where = fmt::format("{}:{}", request.host, request.port);
    state.anywhere =
        std::ranges::find(state.options.test_hosts, where) != state.options.test_hosts.end();
    const bool metadata = request.reach == Reach::metadata &&
                          std::ranges::find(metadata_hosts, request.host) != metadata_hosts.end();
    state.reach =
        metadata || request.reach == Reach::configured ? request.reach : Reach::public_only;
    state.metadata_host = metadata ? request.host : std::string();
    if (!request.https && !state.anywhere && !metadata) {
        return fail(ErrorKind::denied, where + " would be asked over http", "use https");
    }
    state.answer = {};
    state.answer_bytes_max = request.answer_bytes_max;
    state.header_bytes = 0;
    state.too_large = false;
    state.refused_address.clear();
    HeaderList lines;
    for (const auto& [name, value] : request.headers) {
        if ((name + value).find_first_of("\r\n") != std::string::npos) {
            return fail(ErrorKind::invalid, "the header " + name + " contains a line break");
        }
        lines.add(name + ": " + value);
    }
    lines.add("Expect:");  // nobody waits for a 100
    const auto url =
        fmt::format("{}://{}{}", request.https ? "https" : "http", where, request.target);
    state.prepare(request, url, lines);
    const auto code = curl_easy_perform(state.handle);
    if (code != CURLE_OK) {
        return fail(state.error_of(code, where));
    }
    long status = 0;
    curl_easy_getinfo(state.handle, CURLINFO_RESPONSE_CODE, &status);
    state.answer.status = static_cast<int>(status);
    return std::move(state.answer);
}

}  // namespace helios::sources
