/// The document of gateway and api together: what one names, the other must have.

#include <gtest/gtest.h>
#include <set>
#include <string>

#include "api/routes.h"
#include "base/json.h"
#include "gateway/routes.h"
#include "gateway/test_kit.h"

namespace helios::app {
namespace {

TEST(OpenApi, WhatIngestRoutesReferToIsAmongTheComponents) {
    gateway::Rig rig;
    rig.open();
    http::RouteTable routes;
    gateway::add_routes(routes, *rig.gateway);
    const auto document = json::Document::parse(routes.openapi("Helios", "1", "", api::openapi_components()));
    ASSERT_TRUE(document);
    const auto schemas = document->root().find("components").find("schemas");
    constexpr std::string_view prefix = "#/components/schemas/";
    std::set<std::string> named;
    for (const auto& route : routes.routes()) {
        std::string texts = route.request_schema;
        for (const auto& answer : route.answers) {
            texts += answer.schema;
        }
        for (auto at = texts.find(prefix); at != std::string::npos; at = texts.find(prefix, at + 1)) {
            const auto begin = at + prefix.size();
            named.insert(texts.substr(begin, texts.find('"', begin) - begin));
        }
    }
    EXPECT_EQ(named, (std::set<std::string>{"BatchAnswer", "EventLine", "IngestAnswer", "Problem"}));
    for (const auto& name : named) {
        EXPECT_TRUE(schemas.find(name).present()) << name;
    }
}

}  // namespace
}  // namespace helios::app
