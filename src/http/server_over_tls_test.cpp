// With HELIOS_TEST_OVER_TLS set, all tests of this program that speak to a TestServer do so over
// TLS: CMakeLists.txt runs them once more so, but for those that say something about plain TCP.

#include <cstdlib>
#include <gtest/gtest.h>

#include "http/tls_test_kit.h"

namespace helios::http {
namespace {

class OverTls : public testing::Environment {
public:
    void SetUp() override {
        if (std::getenv("HELIOS_TEST_OVER_TLS") == nullptr) {  // tidy: allow getenv: a test's own
            return;
        }
        static const TlsFiles files;
        auto parts = TlsFiles::parts("localhost", false);
        parts.not_before = Instant();  // tests have clocks of their own
        parts.not_after += std::chrono::days(20 * 365);
        files.use(make_certificate(parts, &files.authority));
        adjust_server = [](ServerOptions& options) { options.tls = files.options(); };
        raw_transport = [](int fd) { return std::make_unique<TlsTransport>(fd, TlsWish{}); };
    }
};

[[maybe_unused]] const auto* const over_tls = testing::AddGlobalTestEnvironment(new OverTls);

}  // namespace
}  // namespace helios::http
