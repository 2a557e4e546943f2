#pragma once
/// An event of type `helios.test` as a source's own sender would send it: in its envelope, with a
/// credential by the source's policy. Pure, but for the secrets that it asks for.
///
/// Where the cloud holds the key (SNS, Pub/Sub's and Event Grid's tokens) nobody else can: then it
/// is the command that makes the cloud send one.

#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "base/time.h"
#include "gateway/options.h"
#include "http/message.h"
#include "model/test_event.h"

namespace helios::gateway {

/// The payload's member that has the token: by it the event is found again, whatever its id.
inline constexpr std::string_view test_token_member = "heliosTest";

struct TestRequest {
    std::string target;     ///< path, and query where the secret is in it
    std::string shown;      ///< the same without the secret
    http::Headers headers;  ///< with Content-Type
    std::string body;
    std::string source;  ///< of which the event will be
    std::string by;      ///< how it proves who sends it: "api_key (x-api-key)"; "nothing: none"
};

struct TestCommand {
    std::string source;
    std::string by;    ///< "sns"
    std::string text;  ///< for a shell
};

struct TestParts {
    std::string token = {};  ///< letters, digits and '-': this test's own
    Instant now{};
    /// Errors of auth::Secrets::open.
    std::function<Result<std::string>(const auth::SecretReference&)> secret = {};
    std::string bearer = {};      ///< an API key or token for `bearer`; empty: there is none
    std::string for_source = {};  ///< of those that a credential speaks for; empty: the first
};

/// A queue that Helios fetches itself, and where messages get into it.
struct TestQueue {
    std::string source;    ///< of its events: "aws", "gcp", "azure"
    std::string place;     ///< sqs: the queue's URL; pubsub: the subscription; eventgrid: the topic
    std::string region;    ///< sqs; empty: as the vendor's tool has it
    std::string endpoint;  ///< eventgrid: the namespace
};
/// The command that puts a test event there.
TestCommand queue_test(const TestQueue& queue, const TestParts& parts);

/// not_found: nothing sends under that name. denied: it is off, or no credential is there that it
/// could bring. invalid: `for_source` is missing, or nothing maps to it. Errors of `secret`.
Result<std::variant<TestRequest, TestCommand>> test_event(const Options& options,
                                                          std::string_view source,
                                                          const TestParts& parts);

}  // namespace helios::gateway
