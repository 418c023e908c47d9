#!/usr/bin/env python3
"""Holds deploy/ against itself and against the binary; scripts/check-deploy.sh calls it, with what it imports.

    check_deploy.py BINARY

Every manifest must be valid against its schema, every command it starts must be one of the binary's, every configuration one that the
binary takes, every PLIMSOLL_SECTION__KEY one of its keys, every port one that the configuration listens on, every file it mounts there.
Prints what is wrong, a line each; exit code 1 if anything is.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

import compose_spec
import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
KUBERNETES = "1.33"
faults = []


def fault(place, text):
    faults.append(f"{place}: {text}")


class Binary:
    """What the binary says of itself."""

    def __init__(self, path):
        self.path = path
        listed = self.run("--help").split("Commands:")[1].split("Options:")[0]
        self.commands = set(re.findall(r"^  ([a-z]+)\b", listed, re.M))
        reference = tomllib.loads(self.run("config", "reference"))
        self.keys = {f"{section}.{key}" for section, keys in reference.items() for key in keys}
        self.defaults = reference

    def run(self, *arguments):
        return subprocess.run([self.path, *arguments], capture_output=True, text=True, check=True).stdout

    def command(self, place, words):
        if not words or words[0] not in self.commands:
            fault(place, f"starts `plimsoll {' '.join(words)}`, which is no command")

    def variable(self, place, name):
        match = re.fullmatch(r"PLIMSOLL_([A-Z]+)__([A-Z_]+)", name)
        if match and f"{match[1]}.{match[2]}".lower() not in self.keys:
            fault(place, f"sets {name}, which is no key")

    def config(self, place, text, show=("config", "show")):
        """The binary reads the text; secrets that it would read from files are there, with nothing in them that counts."""
        with tempfile.TemporaryDirectory() as folder:
            secret = pathlib.Path(folder, "secret")
            secret.write_text("x")
            file = pathlib.Path(folder, "plimsoll.toml")
            file.write_text(re.sub(r'(_file = )"[^"]*"', rf'\1"{secret}"', text))
            shown = subprocess.run([self.path, "--config", file, *show], capture_output=True, text=True)
        if shown.returncode != 0:
            fault(place, shown.stderr.strip())
        return tomllib.loads(text)


def port(config, section):
    return int(config[section]["listen"].rsplit(":", 1)[1])


def documents(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def kubernetes(binary):
    files = {path.name: documents(path) for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))}
    everything = [(name, document) for name, found in files.items() for document in found]
    for name, document in everything:
        try:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
        except kubernetes_validate.ValidationError as error:
            fault(name, f"{document['kind']}: {error.message}")
    [text] = [d["data"]["plimsoll.toml"] for _, d in everything if d["kind"] == "ConfigMap"]
    config = binary.config("config.yaml", text)
    secrets = {pathlib.PurePath(path).name for path in re.findall(r'_file = "(.*)"', text)}
    [note] = [line for line in (DEPLOY / "kubernetes/config.yaml").read_text().splitlines() if "create secret generic" in line]
    if set(re.findall(r"--from-file=([a-z-]+)", note)) != secrets:
        fault("config.yaml", f"the secret is made of other files than {sorted(secrets)}")
    ports = {"metrics": port(config, "metrics"), "http": port(config, "http"), "events": port(config, "gateway")}
    roles = set()
    for name, document in everything:
        if document["kind"] not in ("Deployment", "Job"):
            continue
        pod = document["spec"]["template"]["spec"]
        [container] = pod["containers"]
        roles.add(container["args"][0])
        binary.command(name, container["args"])
        named = {one["name"]: one["containerPort"] for one in container.get("ports", [])}
        for one, number in named.items():
            if ports.get(one) != number:
                fault(name, f"port {one} is {number}, and the configuration listens on {ports.get(one)}")
        probes = {key: container[key]["httpGet"] for key in container if key.endswith("Probe")}
        for key, probe in probes.items():
            if probe["port"] not in named or probe["path"] not in ("/livez", "/readyz"):
                fault(name, f"{key} asks {probe}")
        if document["kind"] == "Deployment" and len(probes) != 3:
            fault(name, f"has only {sorted(probes)}")
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        for path in [*re.findall(r'_file = "(.*)"', text), "/etc/plimsoll/plimsoll.toml"]:
            if not any(path == mount or path.startswith(f"{mount}/") for mount in mounts):
                fault(name, f"mounts nothing at {path}")
    if roles != {"run", "bill", "serve", "migrate"}:
        fault("kubernetes", f"has roles {sorted(roles)}")
    [service] = [d["spec"] for _, d in everything if d["kind"] == "Service"]
    if any(one["targetPort"] not in ports for one in service["ports"]):
        fault("serve.yaml", "the service names no port of the pod")


def compose(binary):
    path = DEPLOY / "compose.yaml"
    raw = yaml.safe_load(path.read_text())
    # YAML itself resolves the merge keys, so what is checked is what a runner sees
    resolved = yaml.safe_dump({key: value for key, value in raw.items() if not key.startswith("x-")})
    try:
        checked = compose_spec.PyCompose.from_yaml(resolved)
        checked.validate()
        checked.to_spec()
    except Exception as error:  # the library has errors of several kinds, and each is a fault of the file
        fault("compose.yaml", str(error))
    config = binary.config("plimsoll.toml", (DEPLOY / "plimsoll.toml").read_text())
    ours = {name: service for name, service in raw["services"].items() if service.get("image") == "plimsoll:latest"}
    collect = binary.config("collect.toml", (DEPLOY / "collect.toml").read_text(), ("collect", "flasharray", "--print"))
    if set(ours) != {"migrate", "run", "bill", "serve", "collect"}:
        fault("compose.yaml", f"has roles {sorted(ours)}")
    for name, service in ours.items():
        binary.command("compose.yaml", service["command"])
        for published in service.get("ports", []):
            listened = (port(config, "http"), port(config, "gateway"))
            if int(published.rsplit(":", 1)[1]) not in listened:
                fault("compose.yaml", f"{name} publishes {published}, and the configuration listens on {listened}")
        read = [config["clickhouse"]["password_file"]] if name != "collect" else [array["api_token_file"] for array in collect["array"]]
        for secret in service["secrets"]:
            if f"/run/secrets/{secret}" not in read:
                fault("compose.yaml", f"the configuration of {name} does not read the secret {secret}")
        if name == "collect":
            mounted = [volume.split(":")[1] for volume in service["volumes"]]
            if service["environment"]["PLIMSOLL_CONFIG"] not in mounted or collect["collect"]["spool_dir"] not in mounted:
                fault("compose.yaml", "the collector has no file or no spool")
            if collect["kafka"]["bootstrap_servers"] != config["kafka"]["bootstrap_servers"]:
                fault("collect.toml", "the broker is not where the others look for it")
    if f"{config['kafka']['bootstrap_servers']}" != "kafka:9092" or "PLAINTEXT://kafka:9092" not in raw["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]:
        fault("compose.yaml", "the broker is not where the configuration looks for it")
    for name, service in raw["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            there = (DEPLOY / source).exists() if source.startswith(".") else source in raw["volumes"]
            if not there:
                fault("compose.yaml", f"{name} mounts {source}, which is not there")
    scrape = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    [found] = scrape["scrape_configs"][0]["dns_sd_configs"]
    if found["names"] != ["collect"] or found["port"] != port(collect, "metrics"):
        fault("prometheus.yml", "looks for the collector where it does not listen")
    for target in scrape["scrape_configs"][0]["static_configs"][0]["targets"]:
        host, _, number = target.partition(":")
        if host not in ours or int(number) != port(config, "metrics"):
            fault("prometheus.yml", f"scrapes {target}, where nothing listens")


def containerfile(binary):
    text = (DEPLOY / "Containerfile").read_text()
    exposed = {int(number) for number in re.search(r"^EXPOSE (.*)$", text, re.M)[1].split()}
    # the gateway has no address by default: it is the compose file's
    gateway = port(tomllib.loads((DEPLOY / "plimsoll.toml").read_text()), "gateway")
    if exposed != {port(binary.defaults, "http"), port(binary.defaults, "metrics"), gateway}:
        fault("Containerfile", f"exposes {exposed}")
    binary.command("Containerfile", re.search(r'^CMD \["(.*)"\]$', text, re.M)[1].split('", "'))
    least = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["rust-version"]
    if f"rust:{least}-" not in text:
        fault("Containerfile", f"builds with another Rust than rust-version = {least}")


def systemd(binary):
    ports = {}
    for path in sorted((DEPLOY / "systemd").glob("*.service")):
        text = path.read_text()
        role = path.stem.removeprefix("plimsoll-")
        [command] = re.findall(r"^ExecStart=/usr/local/bin/plimsoll (.*)$", text, re.M)
        binary.command(path.name, command.split())
        if command.split()[0] != role:
            fault(path.name, f"starts {command}")
        for name in re.findall(r"^Environment=(\w+)=", text, re.M):
            binary.variable(path.name, name)
        [listen] = re.findall(r"METRICS__LISTEN=(.*)$", text, re.M)
        if f"livez {listen} " not in text:
            fault(path.name, "asks another address than the one it listens on")
        if ports.setdefault(listen, role) != role:
            fault(path.name, f"listens where {ports[listen]} does")
    if set(ports.values()) != {"run", "bill", "serve", "collect"}:
        fault("systemd", f"has roles {sorted(ports.values())}")


def main():
    binary = Binary(sys.argv[1])
    for part in (kubernetes, compose, containerfile, systemd):
        part(binary)
    for line in faults:
        print(line)
    sys.exit(1 if faults else 0)


main()
