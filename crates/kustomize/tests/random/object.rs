//! What random objects are made of.

/// A kind of object. In its texts `METADATA`, `WORD`, `STRING`, `SCALAR` and `REF:KIND` are filled in.
pub(super) struct ObjectKind {
    pub(super) api: &'static str,
    pub(super) kind: &'static str,
    pub(super) text: &'static str,
    /// Strategic merges, below apiVersion, kind and name.
    pub(super) patches: &'static [&'static str],
    /// JSON patch operations.
    pub(super) operations: &'static [&'static str],
    /// Paths that a replacement may write to.
    pub(super) fields: &'static [&'static str],
}

/// Keys, as YAML writes them.
#[rustfmt::skip]
pub(super) const WORDS: &[&str] = &["a", "b", "app", "tier", "example.com/x", "z", "zone", "team", "y", "\"1\""];

/// Texts, as YAML writes them.
#[rustfmt::skip]
pub(super) const STRINGS: &[&str] = &[
    "x", "\"y\"", "\"yes\"", "\"5\"", "'on'", "\"\"", "v1.2", "\"true\"", "'1e3'", "a b", "\"with # hash\"",
    "\"- dash\"", "ünï", "'it''s'", "\"tab\\there\"", "'012'", "'~'",
];

/// Scalars of any type, as YAML writes them.
#[rustfmt::skip]
pub(super) const SCALARS: &[&str] = &[
    "x", "1", "-3", "1.5", "true", "no", "yes", "off", "null", "~", "\"1\"", "'true'", "0x1F", "0o17", "012", "1e3",
    "1_000", "2001-01-01", "2001-02-03T04:05:06Z", "2001-02-03 4:05:06.7 +1", "\"\"", "{}", "[]", "[1, a, \"2\"]",
    "{k: v, \"5\": 6}", "|\n      two\n      lines\n", ">-\n      folded\n      text\n", "'multi word text'", "\"\\u00e9\\n\"", "1.0",
    "1.10", "+1", "!!str 7", "a:b", "\"a: b\"", "1234567890123456789", "0.1e-7", "'{{ template }}'",
    "&anchor v", "<<", "a text that is longer than eighty characters so that something may want to fold it into two lines of text",
];

const WORKLOAD_PATCHES: &[&str] = &[
    "spec:\n  replicas: 7\n",
    "spec:\n  template:\n    spec:\n      containers:\n      - name: main\n        image: patched:1\n",
    "spec:\n  template:\n    spec:\n      containers:\n      - name: extra\n        args: [SCALAR]\n",
    "spec:\n  template:\n    spec:\n      containers:\n      - name: main\n        env:\n        - name: FIRST\n          value: STRING\n        - name: NEW\n          value: STRING\n",
    "spec:\n  template:\n    spec:\n      containers:\n      - name: side\n        $patch: delete\n",
    "spec:\n  template:\n    spec:\n      containers:\n      - $patch: replace\n      - name: only\n        image: only\n",
    "spec:\n  template:\n    spec:\n      volumes:\n      - name: data\n        emptyDir: {}\n        configMap: null\n",
    "spec:\n  template:\n    spec:\n      $setElementOrder/containers:\n      - name: side\n      - name: main\n      containers:\n      - name: side\n        image: ordered\n",
    "spec:\n  template:\n    spec:\n      containers:\n      - name: main\n        ports:\n        - containerPort: 80\n          name: renamed\n        - containerPort: 81\n          protocol: UDP\n",
    "metadata:\n  labels: {patched: STRING}\n",
    "spec:\n  template: null\n",
    "$patch: delete\n",
    "spec:\n  template:\n    metadata:\n      annotations:\n        WORD: STRING\n",
    "spec:\n  template:\n    spec:\n      $patch: replace\n      containers:\n      - name: all\n        image: new\n",
    "spec:\n  template:\n    spec:\n      tolerations:\n      - key: WORD\n      nodeSelector: {WORD: STRING}\n",
];

const WORKLOAD_OPERATIONS: &[&str] = &[
    "{op: replace, path: /spec/replicas, value: 9}",
    "{op: add, path: /spec/template/spec/containers/0/env/-, value: {name: ADDED, value: STRING}}",
    "{op: add, path: /spec/template/spec/containers/0/args, value: [a, STRING]}",
    "{op: remove, path: /spec/template/spec/containers/0/image}",
    "{op: add, path: /metadata/labels, value: {WORD: STRING}}",
    "{op: copy, from: /spec/template, path: /spec/copied}",
    "{op: move, from: /spec/template/spec/containers/1, path: /spec/template/spec/containers/0}",
    "{op: replace, path: /metadata/name, value: renamed}",
    "{op: add, path: /spec/template/metadata, value: {annotations: {example.com~1x: STRING}}}",
];

const DATA_PATCHES: &[&str] = &[
    "data:\n  a: STRING\n",
    "data:\n  a: null\n  new: STRING\n",
    "data: null\n",
    "metadata:\n  labels:\n    WORD: STRING\n",
    "$patch: delete\n",
    "data:\n  $patch: replace\n  only: STRING\n",
    "immutable: true\n",
];

const DATA_OPERATIONS: &[&str] = &[
    "{op: replace, path: /data/a, value: STRING}",
    "{op: add, path: /data/new, value: STRING}",
    "{op: remove, path: /data/b}",
    "{op: move, from: /data/a, path: /data/moved}",
    "{op: add, path: /immutable, value: true}",
];

/// The kinds of random objects.
pub(super) const OBJECT_KINDS: &[ObjectKind] = &[
    ObjectKind {
        api: "apps/v1",
        kind: "Deployment",
        text: "apiVersion: apps/v1\nkind: Deployment\nMETADATA\nspec:\n  replicas: 1\n  selector:\n    matchLabels:\n      app: WORD\n  template:\n    metadata:\n      labels:\n        app: WORD\n    spec:\n      serviceAccountName: REF:ServiceAccount\n      containers:\n      - name: main\n        image: nginx:1.25\n        args: [STRING]\n        ports:\n        - containerPort: 80\n          name: http\n        env:\n        - name: FIRST\n          value: STRING\n        - name: SECOND\n          valueFrom:\n            configMapKeyRef:\n              name: REF:ConfigMap\n              key: a\n        envFrom:\n        - secretRef:\n            name: REF:Secret\n      - name: side\n        image: registry:5000/team/app@sha256:00\n      volumes:\n      - name: data\n        configMap:\n          name: REF:ConfigMap\n",
        patches: WORKLOAD_PATCHES,
        operations: WORKLOAD_OPERATIONS,
        fields: &[
            "spec.template.spec.containers.[name=main].image",
            "spec.template.spec.containers.*.args.0",
            "metadata.annotations.new",
            "spec.template.spec.containers.0.env.[name=FIRST].value",
            "spec.template.metadata.labels.app",
        ],
    },
    ObjectKind {
        api: "apps/v1",
        kind: "StatefulSet",
        text: "kind: StatefulSet\napiVersion: apps/v1\nMETADATA\nspec:\n  serviceName: REF:Service\n  template:\n    spec:\n      initContainers:\n      - {name: init, image: \"app\"}\n      containers:\n      - {name: main, image: ghcr.io/x/y:1, env: [{name: FIRST, value: STRING}]}\n      - {name: side, image: busybox}\n  volumeClaimTemplates:\n  - metadata: {name: data}\n    spec: {storageClassName: STRING}\n",
        patches: WORKLOAD_PATCHES,
        operations: WORKLOAD_OPERATIONS,
        fields: &[
            "spec.serviceName",
            "spec.template.spec.containers.[name=side].image",
            "spec.new.deep",
            "spec.volumeClaimTemplates.0.metadata.labels.x",
        ],
    },
    ObjectKind {
        api: "v1",
        kind: "ConfigMap",
        text: "apiVersion: v1\nkind: ConfigMap\nMETADATA\ndata:\n  a: STRING\n  b: STRING\n  long: |\n    # comment\n    key: value\n\n    end\n",
        patches: DATA_PATCHES,
        operations: DATA_OPERATIONS,
        fields: &[
            "data.a",
            "data.new",
            "metadata.annotations.x",
            "metadata.labels.y",
        ],
    },
    ObjectKind {
        api: "v1",
        kind: "Secret",
        text: "apiVersion: v1\nkind: Secret\nMETADATA\ntype: Opaque\nstringData:\n  plain: STRING\ndata:\n  a: YQ==\n  b: Yg==\n",
        patches: DATA_PATCHES,
        operations: DATA_OPERATIONS,
        fields: &["data.a", "stringData.plain", "stringData.new"],
    },
    ObjectKind {
        api: "v1",
        kind: "Service",
        text: "apiVersion: v1\nkind: Service\nMETADATA\nspec:\n  selector:\n    app: WORD\n  ports:\n  - port: 80\n    name: http\n    targetPort: http\n  - {port: 443, name: https}\n",
        patches: &[
            "spec:\n  ports:\n  - port: 80\n    targetPort: 8080\n",
            "spec:\n  ports:\n  - port: 443\n    $patch: delete\n",
            "spec:\n  ports:\n  - port: 80\n    protocol: UDP\n    name: udp\n",
            "spec:\n  selector:\n    app: null\n    other: STRING\n",
            "spec:\n  type: LoadBalancer\n",
        ],
        operations: &[
            "{op: replace, path: /spec/ports/0/port, value: 81}",
            "{op: add, path: /spec/ports/0, value: {port: 1}}",
            "{op: remove, path: /spec/selector}",
        ],
        fields: &["spec.ports.[name=https].targetPort", "spec.selector.app"],
    },
    ObjectKind {
        api: "v1",
        kind: "ServiceAccount",
        text: "apiVersion: v1\nkind: ServiceAccount\nMETADATA\nimagePullSecrets:\n- name: REF:Secret\n",
        patches: &[
            "imagePullSecrets:\n- name: added\n",
            "metadata:\n  labels: {WORD: STRING}\n",
        ],
        operations: &["{op: add, path: /imagePullSecrets/-, value: {name: x}}"],
        fields: &["imagePullSecrets.0.name", "metadata.annotations.x"],
    },
    ObjectKind {
        api: "rbac.authorization.k8s.io/v1",
        kind: "RoleBinding",
        text: "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nMETADATA\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: REF:ClusterRole\nsubjects:\n- kind: ServiceAccount\n  name: REF:ServiceAccount\n  namespace: apps\n",
        patches: &["subjects:\n- kind: User\n  name: someone\n"],
        operations: &["{op: add, path: /subjects/-, value: {kind: Group, name: g}}"],
        fields: &["subjects.0.name"],
    },
    ObjectKind {
        api: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRole",
        text: "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nMETADATA\nrules:\n- apiGroups: [\"\"]\n  resources: [secrets]\n  resourceNames: [REF:Secret]\n  verbs: [get]\n",
        patches: &["rules:\n- verbs: [list]\n"],
        operations: &["{op: add, path: /rules/0/verbs/-, value: list}"],
        fields: &["rules.0.resourceNames.0"],
    },
    ObjectKind {
        api: "networking.k8s.io/v1",
        kind: "Ingress",
        text: "apiVersion: networking.k8s.io/v1\nkind: Ingress\nMETADATA\nspec:\n  tls:\n  - hosts: [a.example.com]\n    secretName: REF:Secret\n  rules:\n  - host: a.example.com\n    http:\n      paths:\n      - path: /\n        pathType: Prefix\n        backend: {service: {name: REF:Service, port: {number: 80}}}\n",
        patches: &[
            "spec:\n  rules:\n  - host: b.example.com\n",
            "spec:\n  tls: null\n",
        ],
        operations: &["{op: replace, path: /spec/rules/0/host, value: c.example.com}"],
        fields: &[
            "spec.rules.0.host",
            "spec.rules.*.http.paths.*.backend.service.name",
            "spec.tls.0.hosts.0",
        ],
    },
    ObjectKind {
        api: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        text: "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nMETADATA\nspec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: REF:Deployment}\n  maxReplicas: 3\n",
        patches: &["spec:\n  maxReplicas: 5\n"],
        operations: &["{op: replace, path: /spec/maxReplicas, value: 4}"],
        fields: &["spec.scaleTargetRef.name"],
    },
    ObjectKind {
        api: "batch/v1",
        kind: "CronJob",
        text: "apiVersion: batch/v1\nkind: CronJob\nMETADATA\nspec:\n  schedule: \"0 * * * *\"\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: Never\n          containers:\n          - name: main\n            image: busybox:1\n            envFrom:\n            - configMapRef: {name: REF:ConfigMap}\n",
        patches: &[
            "spec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers:\n          - name: main\n            command: [STRING]\n",
            "spec:\n  suspend: true\n",
        ],
        operations: &["{op: add, path: /spec/suspend, value: false}"],
        fields: &[
            "spec.schedule",
            "spec.jobTemplate.spec.template.spec.containers.[name=main].image",
        ],
    },
    ObjectKind {
        api: "example.com/v1",
        kind: "Widget",
        text: "apiVersion: example.com/v1\nkind: Widget\nMETADATA\nspec:\n  one: SCALAR\n  two: SCALAR\n  list:\n  - SCALAR\n  - {name: n, value: STRING}\n  deep:\n    WORD: SCALAR\n    gone: 1\n  image: nginx\n  containers:\n  - {name: c, image: \"app:1\"}\n",
        patches: &[
            "metadata:\n  annotations:\n    WORD: STRING\n",
            "spec:\n  added: SCALAR\n",
            "spec:\n  list:\n  - one\n  - STRING\n",
            "spec:\n  deep:\n    WORD: SCALAR\n    gone: null\n",
            "spec: null\n",
            "spec:\n  $patch: delete\n",
        ],
        operations: &[
            "{op: add, path: /spec, value: {k: [1, 2.5, true, null, text]}}",
            "{op: remove, path: /spec}",
            "{op: replace, path: /kind, value: Renamed}",
        ],
        fields: &[
            "spec.one",
            "spec.new.path",
            "spec.list.0",
            "spec.list.[name=n].value",
            "spec.containers.-.name",
            "spec.deep",
        ],
    },
    ObjectKind {
        api: "example.com/v1",
        kind: "Gadget",
        text: "apiVersion: example.com/v1\nkind: Gadget\nMETADATA\nspec:\n  base: &base\n    a: SCALAR\n    app: STRING\n    deep: {tier: STRING}\n  again: *base\n  merged:\n    <<: *base\n    app: STRING\n  word: &word STRING\n  words: [*word, STRING, *word]\n",
        patches: &[
            "spec:\n  base: {a: STRING}\n",
            "spec:\n  merged: {new: STRING, app: null}\n",
            "spec:\n  words: [STRING]\n",
        ],
        operations: &[
            "{op: replace, path: /spec/again/app, value: STRING}",
            "{op: copy, from: /spec/merged, path: /spec/copied}",
            "{op: remove, path: /spec/merged/deep}",
        ],
        fields: &["spec.base.app", "spec.merged.deep.tier", "spec.words.0"],
    },
    ObjectKind {
        api: "v1",
        kind: "Namespace",
        text: "apiVersion: v1\nkind: Namespace\nMETADATA\n",
        patches: &["metadata:\n  labels: {WORD: STRING}\n"],
        operations: &["{op: add, path: /metadata/labels, value: {x: STRING}}"],
        fields: &["metadata.labels.x"],
    },
    ObjectKind {
        api: "helm.toolkit.fluxcd.io/v2",
        kind: "HelmRelease",
        text: "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nMETADATA\nspec:\n  interval: 1h\n  chartRef: {kind: OCIRepository, name: chart}\n  valuesFrom:\n  - kind: ConfigMap\n    name: REF:ConfigMap\n  values:\n    WORD: SCALAR\n    image: {repository: nginx, tag: \"1.25\"}\n",
        patches: &[
            "spec:\n  values:\n    more: SCALAR\n",
            "spec:\n  valuesFrom: null\n",
            "spec:\n  interval: 2h\n",
        ],
        operations: &[
            "{op: add, path: /spec/values/x, value: {y: [STRING]}}",
            "{op: replace, path: /spec/interval, value: 5m}",
        ],
        fields: &[
            "spec.interval",
            "spec.values.image.tag",
            "spec.values.fresh",
        ],
    },
];
