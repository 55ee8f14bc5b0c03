"""Applications in Go, Ruby, PHP, Java and .NET, and static sites. Each function returns None for another
kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from invoke_devstack.setup.scaffold.recipe import Recipe, dockerfile, read, there

_NAME = re.compile(r"[\w@][\w.@/-]*")
_GO_PORT = re.compile(r"[\"']:(\d{2,5})[\"']")
_SPRING_PORT = re.compile(r"^\s*(?:server\.port\s*=|port:)\s*(\d{2,5})", re.MULTILINE)
_BASH_CHECK = "</dev/tcp/127.0.0.1/{}"
_SYSTEM = "RUN apt-get update && apt-get install -y --no-install-recommends {} && rm -rf /var/lib/apt/lists/*"


def go(directory: Path) -> Recipe | None:
    module = read(directory / "go.mod")
    main = _go_main(directory)
    if not module or not main:
        return None
    found = _GO_PORT.search("".join(read(file) for file in sorted((directory / main).glob("*.go"))))
    port = int(found[1]) if found else 8080
    version = re.search(r"^go (\d+\.\d+)", module, re.MULTILINE)
    command = ("sh", "-c", f"go build -o /tmp/app {main} && exec /tmp/app")
    manifests = there(directory, "go.mod", "go.sum")
    return Recipe(
        "go",
        "Go",
        dockerfile(
            f"golang:{version[1] if version else '1.25'}",
            manifests=manifests,
            install=("RUN go mod download",),
            command=command,
            port=port,
        ),
        command,
        port,
        ("bash", "-c", _BASH_CHECK.format(port)),
        manifests=manifests,
        packages=_names(module),
        environment={"PORT": f'"{port}"'},
        restarts=True,
    )


def _go_main(directory: Path) -> str:
    """The path of the package to start; "" for a library."""
    for file in (*sorted(directory.glob("*.go")), *sorted(directory.glob("cmd/*/*.go"))):
        if re.search(r"^package main$", read(file), re.MULTILINE):
            folder = file.parent.relative_to(directory).as_posix()
            return "." if folder == "." else f"./{folder}"
    return ""


def rails(directory: Path) -> Recipe | None:
    gems = re.findall(r"^\s*gem\s+[\"']([\w-]+)", read(directory / "Gemfile"), re.MULTILINE)
    if "rails" not in gems:
        return None
    manifests = there(directory, "Gemfile", "Gemfile.lock", ".ruby-version")
    version = re.search(r"(\d+\.\d+)", read(directory / ".ruby-version"))
    needs = {"pg": "libpq-dev", "mysql2": "default-libmysqlclient-dev", "sqlite3": "libsqlite3-dev"}
    libraries = (package for gem, package in needs.items() if gem in gems)
    system = ("build-essential", "git", "libyaml-dev", "pkg-config", *libraries)
    start = "rm -f tmp/pids/server.pid && bin/rails db:prepare && exec bin/rails server -b 0.0.0.0 -p 3000"
    return Recipe(
        "rails",
        "Ruby on Rails",
        dockerfile(
            f"ruby:{version[1] if version else '3.4'}-slim",
            setup=(_SYSTEM.format(" ".join(system)),),
            manifests=manifests,
            install=("RUN bundle install",),
            command=("sh", "-c", start),
            port=3000,
        ),
        ("sh", "-c", start),
        3000,
        ("ruby", "-rsocket", "-e", "TCPSocket.new('127.0.0.1', 3000)"),
        manifests=manifests,
        packages=frozenset(gems),
        environment={"RAILS_ENV": "development"},
        ignored=("log/", "tmp/", "storage/", "node_modules/"),
    )


def php(directory: Path) -> Recipe | None:
    """Laravel and Symfony."""
    packages = _names(read(directory / "composer.json"))
    laravel = "laravel/framework" in packages and (directory / "artisan").is_file()
    if not laravel and "symfony/framework-bundle" not in packages:
        return None
    command = ("php", "-S", "0.0.0.0:8000", "-t", "public")
    if laravel:
        command = ("php", "artisan", "serve", "--host=0.0.0.0", "--port=8000")
    manifests = there(directory, "composer.json", "composer.lock", "symfony.lock")
    return Recipe(
        "laravel" if laravel else "symfony",
        "Laravel" if laravel else "Symfony",
        dockerfile(
            "php:8.4-cli",
            setup=(
                _SYSTEM.format("git unzip libpq-dev"),
                "RUN docker-php-ext-install pdo_mysql pdo_pgsql",
                "COPY --from=composer:2 /usr/bin/composer /usr/local/bin/composer",
            ),
            manifests=manifests,
            # Its scripts and its autoloader need the code.
            install=("RUN composer install --no-interaction --no-scripts --no-autoloader",),
            after=("RUN composer dump-autoload",),
            command=command,
            port=8000,
        ),
        command,
        8000,
        ("php", "-r", "exit(@fsockopen('127.0.0.1', 8000) ? 0 : 1);"),
        manifests=manifests,
        packages=packages,
        ignored=("vendor/", "node_modules/", "storage/" if laravel else "var/"),
    )


def java(directory: Path) -> Recipe | None:
    """Spring Boot, built by Maven or Gradle."""
    pom = read(directory / "pom.xml")
    gradle = "".join(read(directory / name) for name in ("build.gradle", "build.gradle.kts"))
    if "spring-boot" not in pom and "springframework.boot" not in gradle:
        return None
    maven = "spring-boot" in pom
    version = _java_version(pom or gradle)
    resources = directory / "src" / "main" / "resources"
    names = ("application.properties", "application.yml", "application.yaml")
    found = _SPRING_PORT.search("\n".join(read(resources / name) for name in names))
    port = int(found[1]) if found else 8080
    image, manifests, install, command = (_maven if maven else _gradle)(directory, version)
    return Recipe(
        "spring",
        f"Spring Boot ({'Maven' if maven else 'Gradle'})",
        dockerfile(image, manifests=manifests, install=install, command=command, port=port),
        command,
        port,
        ("bash", "-c", _BASH_CHECK.format(port)),
        manifests=manifests,
        packages=_names(pom + gradle),
        restarts=True,
        ignored=("target/", "build/", ".gradle/"),
    )


def _java_version(text: str) -> str:
    found = re.search(r"<java\.version>(\d+)|JavaLanguageVersion\.of\((\d+)|VERSION_(\d+)", text)
    return next((number for number in found.groups() if number), "21") if found else "21"


_Build = tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]


def _maven(directory: Path, version: str) -> _Build:
    command = ("mvn", "-B", "spring-boot:run")
    return (
        f"maven:3-eclipse-temurin-{version}",
        there(directory, "pom.xml"),
        ("RUN mvn -B dependency:go-offline",),
        command,
    )


def _gradle(directory: Path, version: str) -> _Build:
    """With the project's wrapper, if it has one. Without `--parents`, COPY would flatten `gradle/`."""
    manifests = there(directory, "build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")
    if not (directory / "gradlew").is_file():
        alone = ("RUN gradle --no-daemon dependencies",)
        return f"gradle:8-jdk{version}", manifests, alone, ("gradle", "--no-daemon", "bootRun")
    fetch = (
        "COPY --chown=dev:dev gradle gradle",
        "RUN sh gradlew --no-daemon dependencies",
    )
    command = ("sh", "gradlew", "--no-daemon", "bootRun")
    return f"eclipse-temurin:{version}-jdk", (*manifests, "gradlew"), fetch, command


def dotnet(directory: Path) -> Recipe | None:
    """A web project of ASP.NET in this directory."""
    projects = [file for pattern in ("*.csproj", "*.fsproj") for file in sorted(directory.glob(pattern))]
    web = next((file for file in projects if "Microsoft.NET.Sdk.Web" in read(file)), None)
    if web is None:
        return None
    text = read(web)
    version = re.search(r"<TargetFramework>net(\d+\.\d+)", text)
    command = ("dotnet", "watch", "--non-interactive", "--project", web.name, "run", "--no-launch-profile")
    return Recipe(
        "dotnet",
        "ASP.NET",
        dockerfile(
            f"mcr.microsoft.com/dotnet/sdk:{version[1] if version else '10.0'}",
            manifests=(web.name, *there(directory, "packages.lock.json")),
            install=(f"RUN dotnet restore {web.name}",),
            command=command,
            port=8080,
        ),
        command,
        8080,
        ("bash", "-c", _BASH_CHECK.format(8080)),
        manifests=(web.name, *there(directory, "packages.lock.json")),
        packages=_names(text),
        environment={"ASPNETCORE_URLS": "http://+:8080", "ASPNETCORE_ENVIRONMENT": "Development"},
        ignored=("bin/", "obj/"),
    )


def static(directory: Path) -> Recipe | None:
    """A folder with an index.html and nothing that builds it."""
    folders = (".", "public", "site", "www", "_site", "dist")
    folder = next((name for name in folders if (directory / name / "index.html").is_file()), "")
    if not folder:
        return None
    pages = "/usr/share/nginx/html"
    text = f"FROM nginx:1.29-alpine\n\nCOPY {folder} {pages}\nEXPOSE 80\n"
    check = ("nc", "-z", "127.0.0.1", "80")
    return Recipe(
        "static", "a static site", text, (), 80, check, target=pages, folder=folder, ignored=_NO_PAGES
    )


def _names(text: str) -> frozenset[str]:
    """Everything in a manifest that may be a library's name; of `github.com/lib/pq` also `lib/pq`."""
    words: Sequence[str] = [word.lower() for word in _NAME.findall(text)]
    return frozenset(words) | {re.sub(r"/v\d+$", "", word).partition("/")[2] for word in words if "/" in word}


_NO_PAGES = ("services/", "tasks.py", "Makefile", "Dockerfile", ".*")
KINDS = (rails, php, java, dotnet, go)
