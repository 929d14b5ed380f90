"""Shows that each rule of check_layers.py fires on the smallest tree that breaks it, and only there."""

import tempfile
import unittest
from pathlib import Path

import check_layers
import cpp_scan

TOOLS = Path(__file__).resolve().parent


class Tree(unittest.TestCase):
    """A tree in a temporary folder with the project's own rules and three rooms."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)
        self.write("layers.txt", "# law\n0 base\n1 io wire\n2 image\n")
        self.write("tools/check_layers.toml", (TOOLS / "check_layers.toml").read_text())

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def rules(self, path=None, text=None):
        """The rules that fire in the tree, after writing one more file."""
        if path:
            self.write(path, text)
        words_about_itself = "tools/check_layers.toml"
        return [found.rule for found in check_layers.check_tree(self.root) if found.path != words_about_itself]

    def fires(self, rule, path, text):
        self.assertEqual(self.rules(path, text), [rule], text)

    def silent(self, path, text):
        self.assertEqual(self.rules(path, text), [], text)


class Layers(Tree):
    def test_a_room_includes_itself_and_lower_rooms(self):
        self.silent("src/image/a.h", '#include "image/b.h"\n#include "wire/c.h"\n#include "base/d.h"\n#include <vector>\n')

    def test_a_higher_room_is_out_of_reach(self):
        self.fires("layer", "src/base/a.h", '#include "image/b.h"\n')

    def test_a_room_of_the_same_layer_is_out_of_reach(self):
        self.fires("layer", "src/wire/a.h", '#include "io/b.h"\n')

    def test_an_unknown_room_is_named(self):
        self.fires("layer", "src/attic/a.h", "int a;\n")

    def test_includes_start_at_src(self):
        self.fires("include-path", "src/base/a.cc", '#include "a.h"\n')

    def test_a_commented_include_is_none(self):
        self.silent("src/base/a.h", '/*\n#include "image/b.h"\n*/\n')

    def test_asio_stays_in_its_folder(self):
        self.fires("header", "src/io/loop.cc", "#include <boost/asio/io_context.hpp>\n")
        self.silent("src/io/loop.cc", "")
        self.silent("src/io/asio/loop.cc", "#include <boost/asio/io_context.hpp>\n")

    def test_system_headers_stay_in_io(self):
        for header in ("thread", "mutex", "fstream", "sys/socket.h", "unistd.h", "cstdio", "cstdlib", "ctime", "csignal", "iostream"):
            self.fires("header", "src/image/a.cc", f"#include <{header}>\n")


class Rooms(Tree):
    """What a room includes against what its CMakeLists.txt names."""

    def setUp(self):
        super().setUp()
        self.write("src/image/README.md", "# image\n")
        self.write("src/image/CMakeLists.txt", "milena_room(image\n  SOURCES a.cc\n  ROOMS base # io\n  TESTS a_test.cc TEST_LIBS milena_io_sim)\n")
        self.write("src/image/a.h", '#include "base/a.h"\n')

    def test_a_named_room(self):
        self.silent("src/image/a.cc", '#include "image/a.h"\n#include "base/b.h"\n')

    def test_a_room_that_is_not_named(self):
        self.fires("room", "src/image/a.cc", '#include "wire/b.h"\n')

    def test_what_tests_link_is_for_tests_alone(self):
        self.silent("src/image/a_test.cc", '#include "io/b.h"\n')
        self.fires("room", "src/image/a.cc", '#include "io/b.h"\n')

    def test_a_test_names_its_rooms_too(self):
        self.fires("room", "src/image/a_test.cc", '#include "wire/b.h"\n')

    def test_a_named_room_is_included_somewhere(self):
        self.fires("room", "src/image/a.h", "int a;\n")


class Calls(Tree):
    BANNED = {
        "clock": ["std::chrono::steady_clock::now();", "clock_gettime(CLOCK_REALTIME, &t);", "time(nullptr);",
                  "auto t = clock::now();", "std::clock();", "auto t = clock();", "timespec_get(&t, TIME_UTC);",
                  "using C = std::chrono::steady_clock;", "localtime(&t);", "std::chrono::current_zone();"],
        "entropy": ["std::random_device r;", "rand();", "getrandom(p, 8, 0);", "drand48();", "rand_r(&seed);",
                    "std::srand(1);", "random();", "arc4random_uniform(3);"],
        "thread": ["std::thread t;", "std::mutex m;", "std::jthread t;", "std::async(f);", "std::counting_semaphore<1> s(0);",
                   "std::call_once(flag, f);", "std::once_flag flag;", "std::latch l(1);", "flag_.wait(0);", "p->wait(old);",
                   "std::promise<int> p;", "std::atomic_wait(&a, 0);"],
        "sleep": ["sleep_for(1s);", "usleep(3);"],
        "network": ["socket(AF_INET, 0, 0);", "::connect(fd, a, n);", "connect(fd, a, n);", "if (bind(fd, a, n) < 0) {}",
                    "::getaddrinfo(a, b, c, &d);", "getaddrinfo(a, b, c, &d);", "gethostbyname(n);"],
        "file": ["::open(p, 0);", "fopen(p, m);", "std::ifstream f;", "std::ofstream f;", "std::filesystem::path p;",
                 "::read(fd, p, n);", "::write(fd, p, n);", "fsync(fd);", "fdatasync(fd);", "std::basic_ifstream<char> f;",
                 "std::filebuf f;", "std::rename(a, b);", "std::remove(p);", "if (std::remove(p.c_str()) != 0) {}", "std::tmpfile();",
                 'open("x", 0);', "int fd = open(p.c_str(), O_RDONLY);", "fdopen(fd, m);", "::remove(p);", "mkstemp(p);"],
        "process": ["::fork();", "popen(p, m);", "execvp(p, a);", "std::system(p);", "system(p);", "if (fork() == 0) {}",
                    "return fork();", "kill(pid, 9);"],
        "environment": ["getenv(p);", "std::getenv(p);", "setenv(a, b, 1);"],
    }
    HARMLESS = ["file.open(path);", "reader.read(bytes);", "int time(int a);", "log.fsync_all();", "Random fork();",
                "std::chrono::steady_clock::time_point t;", "operand(3);", "Env::open(path);", "socket_count(1);",
                "// std::thread\n", "co_await changed.wait(deadline);", "co_await c->changed_.wait(deadline);", "changed.wait();",
                "disk.rename(a, b);", "TRY(remove(name, 1));", "std::remove(a.begin(), a.end(), 3);", "loop.spawn(connect(state));",
                "x = open({0, 1});", "int open(int a, int b);", "void kill(int a);", "auto c = clock_.now();", "node.kill(0);",
                "Result<int> connect(int a, int b, int c);", "std::chrono::time_point<std::chrono::system_clock> t;", 'auto s = "std::mutex";']

    def test_each_banned_call_fires_outside_io(self):
        for rule, calls in self.BANNED.items():
            for call in calls:
                self.fires(rule, "src/image/a.cc", f"void f() {{ {call} }}\n")

    def test_io_may(self):
        for calls in self.BANNED.values():
            for call in calls:
                self.silent("src/io/a.cc", f"void f() {{ {call} }}\n")

    def test_look_alikes_do_not_fire(self):
        for call in self.HARMLESS:
            self.silent("src/image/a.cc", f"void f() {{ {call} }}\n")

    def test_an_excuse_with_a_reason_covers_one_rule_on_one_line(self):
        self.silent("src/image/a.cc", "std::mutex m;  // lint: allow(thread) shared with the signal handler\n")
        self.silent("src/image/a.cc", "// lint: allow(thread) shared with\n// the signal handler\nstd::mutex m;\n")
        self.fires("thread", "src/image/a.cc", "std::mutex m;  // lint: allow(clock) not this rule\n")
        self.fires("thread", "src/image/a.cc", "// lint: allow(thread) the first only\nstd::mutex a;\nstd::mutex b;\n")

    def test_an_excuse_needs_a_reason(self):
        self.fires("allow", "src/image/a.cc", "std::mutex m;  // lint: allow(thread)\n")


class Sizes(Tree):
    def test_800_lines_are_too_many(self):
        self.fires("size", "src/base/a.cc", "\n" * 801)

    def test_over_500_lines_want_a_reason(self):
        self.fires("size", "src/base/a.cc", "\n" * 501)
        self.write("src/base/README.md", "`a.cc` is long because it is a table.\n")
        self.silent("src/base/a.cc", "\n" * 501)

    def test_tests_may_be_twice_as_long(self):
        self.silent("src/base/a_test.cc", "\n" * 1000)
        self.fires("size", "src/base/a_test.cc", "\n" * 1601)

    def test_a_room_has_a_short_readme(self):
        self.fires("readme", "src/base/CMakeLists.txt", "\n")
        self.fires("readme", "src/base/README.md", "\n" * 41)
        self.silent("src/base/README.md", "# base\n")

    def test_no_large_file(self):
        self.fires("tracked-size", "docs/a.bin", "x" * (256 * 1024 + 1))
        self.silent("docs/a.bin", "x" * 256 * 1024)


class Words(Tree):
    def test_places_of_one_machine(self):
        for text in ("see /wo" "rk/main/x", "cd /home/me/x", "https://registry.npm" "js.org/x", "https://repo.maven" ".apache.org/x"):
            self.fires("word", "docs/a.md", text + "\n")

    def test_similar_words_are_free(self):
        self.silent("docs/a.md", "a framework/part, http://example.org/work/x, /var/lib/milena\n")

    def test_nolint_names_its_check(self):
        for comment in ("NOLINT", "NOLINTNEXTLINE", "NOLINT(*)", "NOLINT()"):
            self.fires("nolint", "src/base/a.cc", f"int a;  // {comment}\n")
        self.silent("src/base/a.cc", "int a;  // NOLINT(bugprone-branch-clone) same on purpose\n")


class Coroutines(Tree):
    def test_capturing_coroutine_lambda(self):
        for code in ("auto f = [&]() -> Task<> { co_return; };", "spawn([this] { co_await g(); });",
                     "co_await [t]() -> io::Task<int> { co_return t; }();", "auto f = [x = y](int a) mutable -> Task<int> { co_return a; };"):
            self.fires("coroutine-capture", "src/base/a.cc", f"void f() {{ {code} }}\n")

    def test_other_lambdas(self):
        for code in ("auto f = []() -> Task<> { co_return; };", "f = [this](int a) -> Task<> { return run(this, a); };",
                     "f = [this] { struct A { static Task<> run(int a) { co_await g(a); } }; return A::run(1); };", "auto f = [&] { return 1; };", "a[i] = b[j]; co_await g();",
                     "[[nodiscard]] int x; co_await g();", "auto f = [&] { spawn([](int a) -> Task<> { co_await h(a); }(x)); };"):
            self.silent("src/base/a.cc", f"Task<> f() {{ {code} }}\n")

    def test_reference_parameter(self):
        for parameters in ("const std::string& s", "Env& e, std::vector<int>&& v", "std::string const& s", "const Map<int, A>& m"):
            self.fires("coroutine-reference", "src/base/a.h", f"Task<Result<int>> f({parameters});\n")
        self.silent("src/base/a.h", "Task<> f(Env& e, std::string s, const char* p);\nint g(const std::string& s);\n")
        self.silent("src/base/a.h", "// lint: allow(coroutine-reference) the caller awaits at once\nTask<> f(const A& a);\n")

    def test_reference_to_what_outlives_every_task(self):
        self.silent("src/base/a.h", "Task<> f(const ListenerInfo& listener, ListenerInfo const& other);\n")
        self.fires("coroutine-reference", "src/base/a.h", "Task<> f(const Listener& listener);\n")
        self.fires("coroutine-reference", "src/base/a.h", "Task<> f(ListenerInfo&& listener);\n")

    def test_await_in_ternary(self):
        self.fires("coroutine-ternary", "src/base/a.cc", "void f() { auto s = c ? co_await g() : h(); }\n")
        self.silent("src/base/a.cc", "void f() { auto s = c ? a : b; co_await g(); if (co_await h()) { A::b(); } }\n")

    def test_await_with_braced_argument(self):
        self.fires("coroutine-braces", "src/base/a.cc", "void f() { co_await g({1, 2}); }\n")
        self.fires("coroutine-braces", "src/base/a.cc", "void f() { co_await c->g(x, {1, 2}); }\n")
        self.silent("src/base/a.cc", "void f() { co_await g(std::move(a), {}); h({1, 2}); }\n")


class Scanner(unittest.TestCase):
    def test_blanking_keeps_positions(self):
        text = 'a("x//y"); // c\nR"(z)" 1\'000 \'"\' /* d\n */ b'
        blank = cpp_scan.blank_comments_and_literals(text)
        self.assertEqual(len(blank), len(text))
        self.assertEqual(blank.split(), ["a(", ");", "1'000", "b"])
        self.assertEqual(blank.count("\n"), 2)

    def test_project_tree_is_read(self):
        layers = check_layers.read_layers(TOOLS.parent)
        self.assertEqual(layers["base"], 0)
        self.assertGreater(layers["app"], layers["broker"])


if __name__ == "__main__":
    unittest.main()
