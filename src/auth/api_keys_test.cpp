#include "auth/api_keys.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <regex>
#include <set>
#include <thread>

#include "base/temporary_directory.h"

namespace helios::auth {
namespace {

using std::chrono::seconds;

const Instant created = parse_rfc3339("2026-11-30T12:00:00Z")->at;

NewApiKey key_of(std::uint8_t fill) {
    ApiKeyEntropy entropy;
    entropy.fill(fill);
    return make_api_key(entropy);
}

ApiKey entry_of(const NewApiKey& key, std::string name, Role role = Role::sender,
                std::vector<std::string> sources = {}) {
    return {key.id, std::move(name), role, std::move(sources), key.digest, created, std::nullopt};
}

TEST(ApiKey, has_a_shape_that_scanners_can_find) {
    const std::regex shape("helios_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}");
    std::set<std::string> texts;
    for (int fill = 0; fill < 256; ++fill) {
        const NewApiKey key = key_of(static_cast<std::uint8_t>(fill));
        EXPECT_TRUE(std::regex_match(key.text, shape)) << key.text;
        EXPECT_EQ(parse_api_key(key.text).value_or(""), key.id);
        texts.insert(key.text);
    }
    EXPECT_EQ(texts.size(), 256u);
}

TEST(ApiKey, keeps_every_bit_of_its_entropy) {
    const NewApiKey zero = key_of(0);
    std::set<std::string> texts;
    for (std::size_t bit = 0; bit < sizeof(ApiKeyEntropy) * 8; ++bit) {
        ApiKeyEntropy entropy{};
        entropy[bit / 8] = static_cast<std::uint8_t>(1 << (bit % 8));
        texts.insert(make_api_key(entropy).text);
    }
    EXPECT_EQ(texts.size(), sizeof(ApiKeyEntropy) * 8);
    EXPECT_FALSE(texts.contains(zero.text));
}

TEST(ApiKey, a_typo_is_told_from_a_wrong_key) {
    const std::string text = key_of(7).text;
    for (std::size_t i = 7; i < text.size(); ++i) {
        std::string typo = text;
        typo[i] = typo[i] == 'a' ? 'b' : 'a';
        const auto parsed = parse_api_key(typo);
        ASSERT_FALSE(parsed) << typo;
        EXPECT_EQ(parsed.error().refusal, Refusal::malformed);
        EXPECT_EQ(parsed.error().text.find(typo.substr(19, 8)), std::string::npos);
    }
    EXPECT_EQ(parse_api_key(text.substr(0, 60)).error().refusal, Refusal::malformed);
    EXPECT_EQ(parse_api_key(text + "x").error().refusal, Refusal::malformed);
    EXPECT_EQ(parse_api_key("helios_").error().refusal, Refusal::malformed);
    for (const char* other : {"", "eyJhbGciOi", "Helios_", "sk_live_1"}) {
        EXPECT_EQ(parse_api_key(other).error().kind, Proof::Kind::absent) << other;
    }
}

TEST(ApiKeys, a_key_is_what_it_was_added_as) {
    ApiKeys keys;
    ASSERT_TRUE(keys.add(entry_of(key_of(1), "shop", Role::sender, {"aws", "gcp"})));
    ASSERT_TRUE(keys.add(entry_of(key_of(2), "ann@example.com", Role::operator_)));
    const Proof sender = keys.check(key_of(1).text);
    EXPECT_EQ(sender.subject, "shop");
    EXPECT_EQ(sender.roles, Roles{Role::sender});
    EXPECT_EQ(*sender.sources, (std::vector<std::string>{"aws", "gcp"}));
    const Proof op = keys.check(key_of(2).text);
    EXPECT_EQ(op.roles, Roles{Role::operator_});
    EXPECT_FALSE(op.sources.has_value());
}

TEST(ApiKeys, another_key_is_refused_for_what_it_is) {
    ApiKeys keys;
    ASSERT_TRUE(keys.add(entry_of(key_of(1), "shop")));
    EXPECT_EQ(keys.check(key_of(2).text).refusal, Refusal::unknown_key);
    EXPECT_EQ(keys.check(key_of(1).text.substr(1)).kind, Proof::Kind::absent);
    // The same id with another secret.
    ApiKeyEntropy entropy;
    entropy.fill(1);
    entropy[39] = 2;
    const std::string impostor = make_api_key(entropy).text;
    EXPECT_EQ(keys.check(impostor).refusal, Refusal::wrong_secret);
    EXPECT_EQ(keys.check(impostor).text.find(impostor.substr(20)), std::string::npos);
    ASSERT_TRUE(keys.revoke("shop", created));
    EXPECT_EQ(keys.check(key_of(1).text).refusal, Refusal::revoked);
    EXPECT_EQ(keys.check(impostor).refusal, Refusal::wrong_secret);
}

TEST(ApiKeys, names_are_of_one_key_in_use) {
    ApiKeys keys;
    ASSERT_TRUE(keys.add(entry_of(key_of(1), "shop")));
    EXPECT_EQ(keys.add(entry_of(key_of(2), "shop")).error().kind, ErrorKind::conflict);
    EXPECT_EQ(keys.add(entry_of(key_of(1), "other")).error().kind, ErrorKind::conflict);
    EXPECT_EQ(keys.revoke("nobody", created).error().kind, ErrorKind::not_found);
    EXPECT_EQ(keys.revoke(key_of(1).id, created)->name, "shop");
    EXPECT_EQ(keys.revoke("shop", created).error().kind, ErrorKind::not_found);
    EXPECT_TRUE(keys.add(entry_of(key_of(2), "shop")));
    for (const std::string& name : {std::string(), std::string("a b"), std::string("é"),
                                    std::string(65, 'a'), std::string("a\n")}) {
        EXPECT_EQ(keys.add(entry_of(key_of(3), name)).error().kind, ErrorKind::invalid) << name;
    }
    EXPECT_FALSE(keys.add(entry_of(key_of(3), "x", Role::admin)));
    EXPECT_FALSE(keys.add(entry_of(key_of(3), "x", Role::sender, {""})));
}

TEST(ApiKeys, are_written_without_a_secret_and_read_back) {
    ApiKeys keys;
    ASSERT_TRUE(keys.add(entry_of(key_of(1), "shop", Role::sender, {"aws", "a \"b\""})));
    ASSERT_TRUE(keys.add(entry_of(key_of(2), "ann", Role::operator_)));
    ASSERT_TRUE(keys.revoke("shop", created + seconds(1)));
    const std::string text = keys.encode();
    EXPECT_EQ(text.find(key_of(1).text.substr(19)), std::string::npos);
    const auto again = ApiKeys::parse(text);
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(again->all(), keys.all());
    EXPECT_EQ(again->encode(), text);
    EXPECT_TRUE(ApiKeys::parse("")->all().empty());
}

TEST(ApiKeys, a_file_that_is_none_is_corrupt) {
    ApiKeys keys;
    ASSERT_TRUE(keys.add(entry_of(key_of(1), "shop")));
    const std::string good = keys.encode();
    // With the checksum of what it says now, so that it is what it says that is refused.
    const auto with = [&](std::string_view what, std::string_view instead) {
        std::string text = good;
        text.replace(text.find(what), what.size(), instead);
        const auto from = text.find("\"keys\":") + 7;
        const auto sum = to_hex(sha256(text.substr(from, text.rfind('}') - from)));
        const auto at = text.find("\"sha256\":\"") + 10;
        return text.replace(at, sum.size(), sum);
    };
    EXPECT_TRUE(ApiKeys::parse(with("shop", "shed"))) << "another name, and its checksum";
    const std::string entry =
        good.substr(good.find("{\"id\""), good.rfind("\n]") - good.find("{\"id\""));
    for (const std::string& wrong :
         {std::string("{"), std::string("[]"), std::string("{}"), with(":2,", ":1,"),
          with("\"sender\"", "\"admin\""), with("\"name\":\"shop\"", "\"name\":\"\""),
          with("\"name\"", "\"colour\""), with("2026-", "20-"), with(entry, entry + "," + entry),
          with(entry, "7"), with("\"sha256\":\"" + to_hex(key_of(1).digest), "\"sha256\":\"0"),
          with("\"created\"", "\"name\":\"x\",\"created\""), good.substr(0, good.size() / 2),
          with("\"role\"", "\"sources\":[\"\"],\"role\"")}) {
        const auto parsed = ApiKeys::parse(wrong);
        ASSERT_FALSE(parsed) << wrong;
        EXPECT_EQ(parsed.error().kind, ErrorKind::corrupt) << wrong;
    }
}

TEST(ApiKeys, any_bit_that_changes_in_their_file_is_noticed) {
    ApiKeys keys;
    ASSERT_TRUE(keys.add(entry_of(key_of(1), "shop", Role::sender, {"aws", "gcp"})));
    ASSERT_TRUE(keys.add(entry_of(key_of(2), "ann", Role::operator_)));
    ASSERT_TRUE(keys.add(entry_of(key_of(3), "gone", Role::operator_)));
    ASSERT_TRUE(keys.revoke("gone", created));
    const std::string good = keys.encode();
    ASSERT_TRUE(ApiKeys::parse(good));
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        std::string text = good;
        text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
        const auto parsed = ApiKeys::parse(text);
        ASSERT_FALSE(parsed) << bit << " " << text;
        EXPECT_EQ(parsed.error().kind, ErrorKind::corrupt) << text;
    }
}

class ApiKeysFileTest : public ::testing::Test {
protected:
    Status add(std::uint8_t fill, const std::string& name) const {
        return change_api_keys(
            path, [&](ApiKeys& keys) { return keys.add(entry_of(key_of(fill), name)); });
    }

    TemporaryDirectory directory = *TemporaryDirectory::make("helios-keys-");
    std::string path = directory.path() + "/keys.json";
};

TEST_F(ApiKeysFileTest, a_server_sees_keys_that_come_and_go) {
    const auto opened = ApiKeysFile::open(path, seconds(0));
    ASSERT_TRUE(opened);
    ApiKeysFile& file = **opened;
    EXPECT_EQ(file.current()->check(key_of(1).text).refusal, Refusal::unknown_key);
    EXPECT_FALSE(file.refresh(seconds(6)));
    ASSERT_TRUE(add(1, "shop"));
    EXPECT_FALSE(file.refresh(seconds(7)));
    EXPECT_EQ(file.current()->all().size(), 0u);  // too early to look
    EXPECT_FALSE(file.refresh(seconds(12)));
    EXPECT_TRUE(file.current()->check(key_of(1).text).is_held());
    ASSERT_TRUE(change_api_keys(path, [](ApiKeys& keys) -> Status {
        HELIOS_TRY(keys.revoke("shop", created));
        return {};
    }));
    EXPECT_FALSE(file.refresh(seconds(20)));
    EXPECT_EQ(file.current()->check(key_of(1).text).refusal, Refusal::revoked);
}

TEST_F(ApiKeysFileTest, a_damaged_file_keeps_the_keys_and_is_said_once) {
    ASSERT_TRUE(add(1, "shop"));
    const auto opened = ApiKeysFile::open(path, seconds(0));
    ASSERT_TRUE(opened);
    std::ofstream(path) << "{";
    EXPECT_TRUE((*opened)->refresh(seconds(10)));
    EXPECT_FALSE((*opened)->refresh(seconds(20)));
    EXPECT_TRUE((*opened)->current()->check(key_of(1).text).is_held());
    EXPECT_FALSE(ApiKeysFile::open(path, seconds(0)));
    EXPECT_EQ(add(2, "other").error().kind, ErrorKind::corrupt);
    std::filesystem::remove(path);
    EXPECT_TRUE((*opened)->refresh(seconds(30)));
    EXPECT_TRUE((*opened)->current()->check(key_of(1).text).is_held());
}

TEST_F(ApiKeysFileTest, what_is_refused_changes_nothing) {
    ASSERT_TRUE(add(1, "shop"));
    EXPECT_EQ(add(2, "shop").error().kind, ErrorKind::conflict);
    EXPECT_EQ((*ApiKeysFile::open(path, {}))->current()->all().size(), 1u);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1);
}

TEST_F(ApiKeysFileTest, changes_at_the_same_time_are_all_kept) {
    constexpr int writers = 4;
    constexpr int keys_each = 5;
    {
        std::vector<std::jthread> threads;
        for (int writer = 0; writer < writers; ++writer) {
            threads.emplace_back([&, writer] {
                for (int i = 0; i < keys_each; ++i) {
                    const int number = writer * keys_each + i;
                    EXPECT_TRUE(add(static_cast<std::uint8_t>(number), std::to_string(number)));
                }
            });
        }
    }
    EXPECT_EQ((*ApiKeysFile::open(path, {}))->current()->all().size(),
              static_cast<std::size_t>(writers * keys_each));
}

}  // namespace
}  // namespace helios::auth
