"""A stand-in for a cluster's API: enough of it for the real kubectl, and answers on demand.

It holds objects, adds what the API adds, and refuses what it is told to.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

RESOURCES = {
    "/api/v1": {
        "namespaces": "Namespace", "configmaps": "ConfigMap", "services": "Service",
        "persistentvolumeclaims": "PersistentVolumeClaim",
    },
    "/apis/apps/v1": {"statefulsets": "StatefulSet"},
    "/apis/networking.k8s.io/v1": {"networkpolicies": "NetworkPolicy"},
}  # fmt: skip


@dataclass
class Cluster:
    """What the stand-in knows, and what it was asked."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By path."""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """Method, path, and parameters."""
    refusals: dict[tuple[str, str], tuple[int, str, str]] = field(default_factory=dict)
    """By method and kind of resource: status, reason, message."""
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What somebody makes, by path, as soon as something is removed."""
    url: str = ""

    def add(self, path: str, **more: Any) -> None:
        name = path.rpartition("/")[2]
        self.objects[path] = {"metadata": {"name": name, **more.pop("metadata", {})}, **more}

    def named(self, resource: str) -> list[str]:
        return sorted(each.rpartition("/")[2] for each in self.objects if f"/{resource}/" in each)


def _defaults(data: dict[str, Any]) -> dict[str, Any]:
    """Add what the API adds to objects that it is given."""
    data["metadata"] |= {"uid": "1", "resourceVersion": "7", "generation": 1}
    data["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    if data["kind"] == "StatefulSet":
        spec = data["spec"]
        spec |= {"podManagementPolicy": "OrderedReady", "revisionHistoryLimit": 10}
        spec["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
        pod = spec["template"]["spec"]
        pod |= {"restartPolicy": "Always", "schedulerName": "default-scheduler"}
        for each in (*pod["initContainers"], *pod["containers"]):
            each |= {"terminationMessagePath": "/dev/termination-log",
                     "terminationMessagePolicy": "File"}  # fmt: skip
            if "startupProbe" in each:
                each["startupProbe"]["successThreshold"] = 1
        data["status"] = {
            "observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1,
            "currentReplicas": 1, "availableReplicas": 1, "currentRevision": "a",
            "updateRevision": "a",
        }  # fmt: skip
    if data["kind"] == "Service":
        data["spec"] |= {"clusterIP": "10.96.1.2", "clusterIPs": ["10.96.1.2"],
                         "sessionAffinity": "None", "ipFamilies": ["IPv4"]}  # fmt: skip
    if data["kind"] == "PersistentVolumeClaim":
        data["spec"] |= {"volumeName": "pvc-1", "volumeMode": "Filesystem"}
        data["spec"].setdefault("storageClassName", "standard")
    if data["kind"] == "NetworkPolicy" and not data["spec"]["ingress"]:
        del data["spec"]["ingress"]
    return data


def _openapi(place: str) -> dict[str, Any]:
    """Say, as the API does, that the server checks fields and can try a change."""
    group = "" if place.startswith("/api/") else place.split("/")[2]
    asked = [{"name": each, "in": "query"} for each in ("fieldValidation", "dryRun")]
    return {
        "openapi": "3.0.0",
        "info": {"title": "stand-in", "version": "1"},
        "paths": {
            f"{place}/namespaces/{{namespace}}/{name}/{{name}}": {
                "patch": {
                    "parameters": asked,
                    "responses": {},
                    "x-kubernetes-group-version-kind": {
                        "group": group, "version": "v1", "kind": kind,
                    },
                }
            }
            for name, kind in RESOURCES[place].items()
        },
    }  # fmt: skip


def _handler(cluster: Cluster) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name there
            pass

        def answer(self, data: object, status: int = 200) -> None:
            body = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def failed(self, status: int, reason: str, message: str, **more: object) -> None:
            self.answer(
                {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status,
                 "reason": reason, "message": message, **more}, status,
            )  # fmt: skip

        def noted(self) -> tuple[str, dict[str, str], bool]:
            """Return path, parameters, and whether it has been refused."""
            parts = urlsplit(self.path)
            told = {key: each[0] for key, each in parse_qs(parts.query).items()}
            cluster.asked.append((self.command, parts.path, told))
            for (method, resource), refusal in cluster.refusals.items():
                if method == self.command and f"/{resource}" in parts.path:
                    status, reason, message = refusal
                    self.failed(status, reason, message)
                    return parts.path, told, True
            return parts.path, told, False

        def do_GET(self) -> None:
            path, told, refused = self.noted()
            if refused:
                return
            if path == "/version":
                self.answer({"major": "1", "minor": "33", "gitVersion": "v1.33.0"})
            elif path == "/api":
                self.answer({"kind": "APIVersions", "versions": ["v1"]})
            elif path == "/apis":
                groups = []
                for place in list(RESOURCES)[1:]:
                    name = place.split("/")[2]
                    version = {"groupVersion": f"{name}/v1", "version": "v1"}
                    groups.append({"name": name, "versions": [version],
                                   "preferredVersion": version})  # fmt: skip
                self.answer({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
            elif path == "/openapi/v3":
                places = {
                    each[1:]: {"serverRelativeURL": f"/openapi/v3{each}"} for each in RESOURCES
                }
                self.answer({"paths": places})
            elif path.startswith("/openapi/v3/"):
                self.answer(_openapi(path.removeprefix("/openapi/v3")))
            elif path in RESOURCES:
                self.answer(
                    {"kind": "APIResourceList", "apiVersion": "v1",
                     "groupVersion": path.partition("/api/")[2] or path.removeprefix("/apis/"),
                     "resources": [
                         {"name": name, "singularName": kind.lower(), "kind": kind,
                          "namespaced": kind != "Namespace",
                          "verbs": ["get", "list", "watch", "patch", "delete", "create"]}
                         for name, kind in RESOURCES[path].items()
                     ]}
                )  # fmt: skip
            elif path in cluster.objects:
                self.answer(cluster.objects[path])
            elif path.rpartition("/")[2] in {
                each for kinds in RESOURCES.values() for each in kinds
            }:
                self.listed(path, told)
            else:
                self.failed(404, "NotFound", f"{path} not found")

        def listed(self, path: str, told: dict[str, str]) -> None:
            if "sendInitialEvents" in told:
                self.failed(422, "Invalid", "no such feature")
                return
            if told.get("watch"):
                self.send_response(200)
                self.end_headers()
                time.sleep(1)
                return
            labels = dict(
                each.split("=") for each in told.get("labelSelector", "").split(",") if each
            )
            name = told.get("fieldSelector", "").removeprefix("metadata.name=")
            items = [
                each for place, each in cluster.objects.items()
                if place.startswith(f"{path}/")
                and labels.items() <= each["metadata"].get("labels", {}).items()
                and name in {"", each["metadata"]["name"]}
            ]  # fmt: skip
            kind = next(kinds[path.rpartition("/")[2]] for kinds in RESOURCES.values()
                        if path.rpartition("/")[2] in kinds)  # fmt: skip
            group = "v1" if path.startswith("/api/") else path.split("/")[2] + "/v1"
            self.answer({"kind": f"{kind}List", "apiVersion": group,
                         "metadata": {"resourceVersion": "7"}, "items": items})  # fmt: skip

        def do_PATCH(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            path, told, refused = self.noted()
            if refused:
                return
            assert self.headers["Content-Type"] == "application/apply-patch+yaml"
            data = _defaults(json.loads(body))
            if "dryRun" not in told:
                cluster.objects[path] = data
            self.answer(data)

        def do_DELETE(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path, told, refused = self.noted()
            told |= {key: str(each) for key, each in json.loads(body or "{}").items()}
            if not refused:
                cluster.objects.pop(path, None)
                cluster.objects |= cluster.made
                self.answer({"kind": "Status", "apiVersion": "v1", "status": "Success"})

    return Handler


@contextmanager
def serving(cluster: Cluster) -> Iterator[None]:
    """Answer on a port of the loopback address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(cluster)) as server:
        cluster.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def kubeconfig(cluster: Cluster, place: Path) -> Path:
    """Write a configuration whose current context is another one, where nobody answers."""
    place.write_text(
        json.dumps(
            {
                "apiVersion": "v1", "kind": "Config", "current-context": "other",
                "clusters": [
                    {"name": "team", "cluster": {"server": cluster.url}},
                    {"name": "other", "cluster": {"server": "http://127.0.0.1:9"}},
                ],
                "contexts": [
                    {"name": name, "context": {"cluster": name, "user": "me"}}
                    for name in ("team", "other")
                ],
                "users": [{"name": "me", "user": {}}],
            }
        )
    )  # fmt: skip
    return place
