#include "http/server.h"

#include <gtest/gtest.h>

#include "http/client.h"

namespace helios::http {
namespace {

TEST(Server, serves) {
    SystemClock clock;
    std::vector<std::string> lines;
    telemetry::Telemetry telemetry(clock, telemetry::Level::info, lines);
    ServerOptions options;
    options.port = 0;
    RouteTable routes;
    routes.add({.path = "/hello/{name}", .handler = [](Request request, Responder responder) { responder.send(Response::text(200, "hello " + std::string(request.path_param("name")))); }});
    auto server = Server::bind(options, telemetry, clock);
    ASSERT_TRUE(server) << server.error().message();
    (*server)->start(routes);
    Client client("127.0.0.1", (*server)->port());
    for (int i = 0; i < 3; ++i) {
        const auto response = client.get("/hello/w%20x");
        ASSERT_TRUE(response) << response.error().message();
        EXPECT_EQ(response->status, 200);
        EXPECT_EQ(response->body, "hello w x");
    }
    (*server)->drain(std::chrono::seconds(5));
}

}  // namespace
}  // namespace helios::http
