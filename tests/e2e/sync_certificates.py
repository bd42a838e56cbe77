"""Certificates for tests, made by the openssl command: a CA of our own, and what it signs for hosts."""
import os
import shutil
import subprocess
import time

OPENSSL = shutil.which("openssl")
CONFIG = """[ca]
default_ca = ours
[ours]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = names
prompt = no
[names]
commonName = {name}
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[host]
subjectAltName = {alternative}
"""


class Authority:
    def __init__(self, folder, name="Goats"):
        self.folder, self.count = folder, 0
        os.mkdir(folder)
        self.certificate, self.key = self._path("ca.pem"), self._path("ca.key")
        with open(self._path("index"), "w", encoding="ascii"):
            pass
        with open(self._path("serial"), "w", encoding="ascii") as file:
            file.write("1000\n")
        self._configure(name, "DNS:none")
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                      "-extensions", "authority", "-keyout", self.key, "-out", self.certificate)

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _configure(self, name, alternative):
        with open(self._path("config"), "w", encoding="ascii") as file:
            file.write(CONFIG.format(folder=self.folder, name=name, alternative=alternative))

    def _openssl(self, command, *arguments):
        done = subprocess.run([OPENSSL, command, "-config", self._path("config"), *arguments], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise AssertionError(f"openssl {command}: {done.stderr}")

    def issue(self, *hosts, days=2, since=-1):
        """(certificate, key) for hosts such as "IP:127.0.0.1" or "DNS:localhost"; `since` and `days`: from when on, and
        how long, counted from today."""
        self.count += 1
        certificate, key, request = (self._path(f"{self.count}.{end}") for end in ("pem", "key", "request"))
        self._configure("host", ",".join(hosts))
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                      request)
        begin, end = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 86400 * day)) for day in (since, since + days))
        self._openssl("ca", "-batch", "-notext", "-extensions", "host", "-startdate", begin, "-enddate", end, "-cert",
                      self.certificate, "-keyfile", self.key, "-in", request, "-out", certificate)
        return certificate, key
