#include "auth/secret.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/file.h"
#include "base/temporary_directory.h"

namespace helios::auth {
namespace {

using std::chrono::seconds;

class SecretTest : public ::testing::Test {
protected:
    std::string path(const std::string& name) const { return directory.path() + "/" + name; }
    void write(const std::string& name, std::string_view text) const {
        std::ofstream(path(name), std::ios::binary) << text;
    }
    SecretReference file(const std::string& name) const {
        return *parse_secret_reference("file:" + path(name));
    }
    static std::optional<std::string> environment(const std::string& name) {
        return name == "HOOK" ? std::optional<std::string>("from the environment") : std::nullopt;
    }

    TemporaryDirectory directory = *TemporaryDirectory::make("helios-secret-");
};

TEST_F(SecretTest, a_reference_names_a_file_or_a_variable) {
    EXPECT_EQ(parse_secret_reference("file:/run/secrets/x")->name, "/run/secrets/x");
    EXPECT_EQ(parse_secret_reference("file:/run/secrets/x")->to_string(), "file:/run/secrets/x");
    EXPECT_EQ(parse_secret_reference("env:HOOK_1")->kind, SecretReference::Kind::env);
    EXPECT_EQ(parse_secret_reference("env:HOOK_1")->name, "HOOK_1");
}

TEST_F(SecretTest, a_secret_as_text_is_refused_and_never_repeated) {
    for (const std::string secret :
         {"whsec_TopSecret", "hunter2", "", "file:", "env:", "env:hunter2 ", "env:2x", "FILE:/x"}) {
        const auto reference = parse_secret_reference(secret);
        ASSERT_FALSE(reference) << secret;
        EXPECT_EQ(reference.error().kind, ErrorKind::invalid);
        EXPECT_EQ(reference.error().message().find("hunter2"), std::string::npos);
        EXPECT_EQ(reference.error().message().find("TopSecret"), std::string::npos);
        EXPECT_NE(reference.error().hint.find("file:PATH"), std::string::npos);
    }
}

TEST_F(SecretTest, one_line_end_at_the_end_is_no_part_of_it) {
    write("unix", "a secret \n");
    write("dos", "a secret\r\n");
    write("two", "a secret\n\n");
    write("none", "a secret");
    const auto secrets =
        Secrets::open({file("unix"), file("dos"), file("two"), file("none")}, environment, {});
    ASSERT_TRUE(secrets) << secrets.error().message();
    const std::vector<std::string> expected{"a secret ", "a secret", "a secret\n", "a secret"};
    EXPECT_EQ(*(*secrets)->current(), expected);
}

TEST_F(SecretTest, a_variable_is_read_too) {
    const auto secrets = Secrets::open({*parse_secret_reference("env:HOOK")}, environment, {});
    ASSERT_TRUE(secrets);
    EXPECT_EQ((*secrets)->current()->front(), "from the environment");
    EXPECT_FALSE(Secrets::open({*parse_secret_reference("env:OTHER")}, environment, {}));
}

TEST_F(SecretTest, what_is_empty_or_not_there_or_too_large_does_not_open) {
    write("empty", "");
    write("line", "\n");
    write("large", std::string(secret_bytes_max + 1, 'x'));
    for (const char* name : {"empty", "line", "large", "not-there"}) {
        const auto secrets = Secrets::open({file(name)}, environment, {});
        ASSERT_FALSE(secrets) << name;
        EXPECT_NE(secrets.error().what.find(name), std::string::npos) << secrets.error().what;
    }
    EXPECT_FALSE(Secrets::open({}, environment, {}));
    EXPECT_FALSE(Secrets::open({file(".")}, environment, {}));
}

TEST_F(SecretTest, a_change_is_seen_within_ten_seconds) {
    write("old", "one");
    write("new", "two");
    const auto opened = Secrets::open({file("old"), file("new")}, environment, seconds(0));
    ASSERT_TRUE(opened);
    Secrets& secrets = **opened;
    const auto before = secrets.current();
    write("old", "three");
    EXPECT_TRUE(secrets.refresh(seconds(1)).empty());
    EXPECT_EQ(secrets.current()->at(0), "one");  // too early to look
    EXPECT_TRUE(secrets.refresh(seconds(9)).empty());
    EXPECT_EQ(*secrets.current(), (std::vector<std::string>{"three", "two"}));
    EXPECT_EQ(before->at(0), "one");  // who holds a snapshot keeps it
}

TEST_F(SecretTest, what_cannot_be_read_keeps_the_old_value_and_is_said_once) {
    write("secret", "one");
    const auto opened = Secrets::open({file("secret")}, environment, seconds(0));
    ASSERT_TRUE(opened);
    Secrets& secrets = **opened;
    std::filesystem::remove(path("secret"));
    EXPECT_EQ(secrets.refresh(seconds(10)).size(), 1u);
    EXPECT_TRUE(secrets.refresh(seconds(20)).empty());
    write("secret", "");  // another failure, said again
    EXPECT_EQ(secrets.refresh(seconds(30)).size(), 1u);
    EXPECT_EQ(secrets.current()->at(0), "one");
    write("secret", "two\n");
    EXPECT_TRUE(secrets.refresh(seconds(40)).empty());
    EXPECT_EQ(secrets.current()->at(0), "two");
    std::filesystem::remove(path("secret"));
    EXPECT_EQ(secrets.refresh(seconds(50)).size(), 1u);
}

TEST_F(SecretTest, what_is_no_secret_of_its_kind_is_as_unreadable) {
    const auto long_enough = [](std::string_view text) -> Status {
        return text.size() < 8 ? Status(fail(ErrorKind::invalid, "too short")) : Status{};
    };
    write("secret", "long enough");
    const auto opened = Secrets::open({file("secret")}, environment, seconds(0), long_enough);
    ASSERT_TRUE(opened);
    write("secret", "hunter2");
    const auto failures = (*opened)->refresh(seconds(10));
    ASSERT_EQ(failures.size(), 1u);
    EXPECT_EQ(failures[0].message().find("hunter2"), std::string::npos);
    EXPECT_EQ((*opened)->current()->at(0), "long enough");
    EXPECT_FALSE(Secrets::open({file("secret")}, environment, seconds(0), long_enough));
}

TEST_F(SecretTest, a_file_is_replaced_whole_and_for_its_owner_only) {
    const auto append = [](const std::string& text) -> Result<std::string> { return text + "x"; };
    ASSERT_TRUE(change_file(path("keys"), 100, append));
    ASSERT_TRUE(change_file(path("keys"), 100, append));
    EXPECT_EQ(*read_file(path("keys"), 100), "xx");
    EXPECT_EQ(std::filesystem::status(path("keys")).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    const auto refuse = [](const std::string&) -> Result<std::string> {
        return fail(ErrorKind::conflict, "no");
    };
    EXPECT_FALSE(change_file(path("keys"), 100, refuse));
    EXPECT_EQ(*read_file(path("keys"), 100), "xx");
    EXPECT_FALSE(std::filesystem::exists(path("keys.new")));
    EXPECT_FALSE(change_file(path("no/such/folder"), 100, append));
}

TEST_F(SecretTest, a_file_that_root_replaces_stays_its_owner_s) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can give a file away";
    }
    const auto owner_of = [&](const std::string& name) {
        struct stat found{};
        EXPECT_EQ(::stat(path(name).c_str(), &found), 0);
        return found.st_uid;
    };
    constexpr uid_t somebody = 12'345;
    write("keys", "x");
    ASSERT_EQ(::chown(path("keys").c_str(), somebody, somebody), 0);
    const auto same = [](const std::string& text) -> Result<std::string> { return text; };
    ASSERT_TRUE(change_file(path("keys"), 100, same));
    EXPECT_EQ(owner_of("keys"), somebody);
    ASSERT_EQ(::chown(directory.path().c_str(), somebody, somebody), 0);
    ASSERT_TRUE(change_file(path("new"), 100, same));
    EXPECT_EQ(owner_of("new"), somebody);
}

}  // namespace
}  // namespace helios::auth
