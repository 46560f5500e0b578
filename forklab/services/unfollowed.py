"""Keys of systemd's that this manager knows and does not follow, by their section.

As systemd 252 and 257 list them (`systemd --dump-configuration-items`). ACCEPTED are those that confine or limit a
service, or are for a machine as a whole: nothing that this manager promises is another without them. NOT_FOLLOWED say
when a service starts, how it ends or whom it needs, so whoever writes them has to know that nobody listens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Conditions and assertions about other things than paths.
_TESTS: Final = """
    ACPower Architecture CPUFeature CPUPressure CPUs Capability ControlGroupController Credential
    Environment Firmware FirstBoot Group Host IOPressure KernelCommandLine KernelVersion Memory
    MemoryPressure NeedsUpdate OSRelease PathIsEncrypted Security User Virtualization
"""

_UNIT: Final = """
    AllowIsolate CollectMode FailureAction FailureActionExitStatus IgnoreOnIsolate JobRunningTimeoutSec
    JobTimeoutAction JobTimeoutRebootArgument JobTimeoutSec JoinsNamespaceOf OnFailureIsolate
    OnFailureJobMode OnSuccessJobMode PropagateReloadFrom PropagateReloadTo PropagatesReloadTo
    RebootArgument RefuseManualStart RefuseManualStop ReloadPropagatedFrom RequiresMountsFor SourcePath
    StartLimitAction StopWhenUnneeded SuccessAction SuccessActionExitStatus SurviveFinalKillSignal
    WantsMountsFor
"""

_SERVICE: Final = """
    AllowedCPUs AllowedMemoryNodes AmbientCapabilities AppArmorProfile BPFProgram BindLogSockets BindPaths
    BindReadOnlyPaths BlockIOAccounting BlockIODeviceWeight BlockIOReadBandwidth BlockIOWeight
    BlockIOWriteBandwidth BusName CPUAccounting CPUAffinity CPUQuota CPUQuotaPeriodSec CPUSchedulingPolicy
    CPUSchedulingPriority CPUSchedulingResetOnFork CPUShares CPUWeight CacheDirectory CacheDirectoryMode
    CapabilityBoundingSet ConfigurationDirectory ConfigurationDirectoryMode CoredumpFilter CoredumpReceive
    DefaultMemoryLow DefaultMemoryMin DefaultStartupMemoryLow Delegate DelegateSubgroup DeviceAllow
    DevicePolicy DisableControllers DynamicUser ExecPaths ExecSearchPath ExtensionDirectories
    ExtensionImagePolicy ExtensionImages FailureAction FileDescriptorStoreMax FileDescriptorStorePreserve
    GuessMainPID IOAccounting IODeviceLatencyTargetSec IODeviceWeight IOReadBandwidthMax IOReadIOPSMax
    IOSchedulingClass IOSchedulingPriority IOWeight IOWriteBandwidthMax IOWriteIOPSMax IPAccounting
    IPAddressAllow IPAddressDeny IPCNamespacePath IPEgressFilterPath IPIngressFilterPath IgnoreSIGPIPE
    ImportCredential InaccessibleDirectories InaccessiblePaths KeyringMode LimitAS LimitCORE LimitCPU
    LimitDATA LimitFSIZE LimitLOCKS LimitMEMLOCK LimitMSGQUEUE LimitNICE LimitNOFILE LimitNPROC LimitRSS
    LimitRTPRIO LimitRTTIME LimitSIGPENDING LimitSTACK LoadCredential LoadCredentialEncrypted
    LockPersonality LogExtraFields LogFilterPatterns LogLevelMax LogNamespace LogRateLimitBurst
    LogRateLimitIntervalSec LogsDirectory LogsDirectoryMode ManagedOOMMemoryPressure
    ManagedOOMMemoryPressureDurationSec ManagedOOMMemoryPressureLimit ManagedOOMPreference ManagedOOMSwap
    MemoryAccounting MemoryDenyWriteExecute MemoryHigh MemoryKSM MemoryLimit MemoryLow MemoryMax MemoryMin
    MemoryPressureThresholdSec MemoryPressureWatch MemorySwapMax MemoryZSwapMax MemoryZSwapWriteback
    MountAPIVFS MountFlags MountImagePolicy MountImages NFTSet NUMAMask NUMAPolicy NetworkNamespacePath Nice
    NoExecPaths NoNewPrivileges NonBlocking OOMPolicy OOMScoreAdjust OpenFile PAMName PassEnvironment
    PermissionsStartOnly Personality PrivateDevices PrivateIPC PrivateMounts PrivateNetwork PrivatePIDs
    PrivateTmp PrivateUsers ProcSubset ProtectClock ProtectControlGroups ProtectHome ProtectHostname
    ProtectKernelLogs ProtectKernelModules ProtectKernelTunables ProtectProc ProtectSystem
    ReadOnlyDirectories ReadOnlyPaths ReadWriteDirectories ReadWritePaths RebootArgument RemoveIPC
    RestrictAddressFamilies RestrictFileSystems RestrictNamespaces RestrictNetworkInterfaces
    RestrictRealtime RestrictSUIDSGID RootDirectory RootDirectoryStartOnly RootEphemeral RootHash
    RootHashSignature RootImage RootImageOptions RootImagePolicy RootVerity RuntimeDirectory
    RuntimeDirectoryMode RuntimeDirectoryPreserve SELinuxContext SecureBits SetCredential
    SetCredentialEncrypted SetLoginEnvironment Slice SmackProcessLabel SocketBindAllow SocketBindDeny
    Sockets StandardInput StandardInputData StandardInputText StartLimitAction StartupAllowedCPUs
    StartupAllowedMemoryNodes StartupBlockIOWeight StartupCPUShares StartupCPUWeight StartupIOWeight
    StartupMemoryHigh StartupMemoryLow StartupMemoryMax StartupMemorySwapMax StartupMemoryZSwapMax
    StateDirectory StateDirectoryMode SupplementaryGroups SyslogFacility SyslogIdentifier SyslogLevel
    SyslogLevelPrefix SystemCallArchitectures SystemCallErrorNumber SystemCallFilter SystemCallLog
    TTYColumns TTYPath TTYReset TTYRows TTYVHangup TTYVTDisallocate TasksAccounting TasksMax
    TemporaryFileSystem TimeoutAbortSec TimeoutCleanSec TimerSlackNSec UMask USBFunctionDescriptors
    USBFunctionStrings UnsetEnvironment UtmpIdentifier UtmpMode
"""

ACCEPTED: Final[Mapping[str, frozenset[str]]] = {
    "Unit": frozenset(
        [
            *_UNIT.split(),
            *(word + test for test in _TESTS.split() for word in ("Condition", "Assert")),
        ]
    ),
    "Service": frozenset(_SERVICE.split()),
    "Install": frozenset(),
}

NOT_FOLLOWED: Final[Mapping[str, frozenset[str]]] = {
    section: frozenset(keys.split())
    for section, keys in {
        "Unit": """
            BindTo OnSuccess PropagatesStopTo Requisite RequisiteOverridable RequiresOverridable
            StopPropagatedFrom Upholds
        """,
        "Service": """
            ExecCondition ExitType FinalKillSignal ReloadSignal RestartForceExitStatus RestartKillSignal
            RestartMaxDelaySec RestartMode RestartSteps RuntimeMaxSec RuntimeRandomizedExtraSec SendSIGHUP
            TimeoutStartFailureMode TimeoutStopFailureMode WatchdogSignal
        """,
        "Install": "UpheldBy",
    }.items()
}
