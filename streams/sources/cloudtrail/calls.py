"""Which calls change what: the table. A call that is not in it is counted and passed over; add a line, and its parameters are knobs.

    service | calls | how | resource below aws/<account>/<region>/<service>/ | what of the request becomes which parameter

Only what is named here is ever copied out of a request, so no secret is. In a resource and before `=`, `a/b` is the first of the two that
is there, `#` takes the last part of a path or ARN, `<path` looks into the answer, `/=x` stands where nothing is. Of a parameter:
`path=name`, the name being the path's last part where none is given; `*` every element; `path<answer` takes the new value from the answer,
where it has one, and `name:<answer` always; `name:=word` is a constant. `list:name:value` makes a parameter of each element.
`+1` and `-1`: each member moves its group's desired capacity by that.

| how | what it means |
|---|---|
| set | each parameter gets the value; what stood before is looked for in the answer and in the log |
| add, remove | members enter or leave a set |
| make, unmake | the resource begins or ends to exist; values are remembered |
| act | it happens to the parameter, whatever the value becomes |
| others | of one service, in `changes` |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

TABLE = """
autoscaling | SetDesiredCapacity | set | group/{autoScalingGroupName} | desiredCapacity
autoscaling | UpdateAutoScalingGroup | set | group/{autoScalingGroupName} | desiredCapacity minSize maxSize defaultCooldown healthCheckType healthCheckGracePeriod capacityRebalance launchConfigurationName launchTemplate.version/mixedInstancesPolicy.launchTemplate.launchTemplateSpecification.version=launchTemplateVersion launchTemplate.launchTemplateId/launchTemplate.launchTemplateName/mixedInstancesPolicy.launchTemplate.launchTemplateSpecification.launchTemplateId/mixedInstancesPolicy.launchTemplate.launchTemplateSpecification.launchTemplateName=launchTemplate newInstancesProtectedFromScaleIn maxInstanceLifetime mixedInstancesPolicy.instancesDistribution.onDemandBaseCapacity mixedInstancesPolicy.instancesDistribution.onDemandPercentageAboveBaseCapacity mixedInstancesPolicy.instancesDistribution.spotAllocationStrategy terminationPolicies vPCZoneIdentifier=subnets
autoscaling | CreateAutoScalingGroup | make | group/{autoScalingGroupName} | desiredCapacity minSize maxSize
autoscaling | DeleteAutoScalingGroup | unmake | group/{autoScalingGroupName} |
autoscaling | SuspendProcesses | add | group/{autoScalingGroupName} | scalingProcesses=suspendedProcesses
autoscaling | ResumeProcesses | remove | group/{autoScalingGroupName} | scalingProcesses=suspendedProcesses
autoscaling | AttachInstances | add | group/{autoScalingGroupName} | instanceIds=instances+1
autoscaling | DetachInstances | remove | group/{autoScalingGroupName} | instanceIds=instances-1
autoscaling | EnterStandby | add | group/{autoScalingGroupName} | instanceIds=standby-1
autoscaling | ExitStandby | remove | group/{autoScalingGroupName} | instanceIds=standby+1
autoscaling | AttachLoadBalancerTargetGroups | add | group/{autoScalingGroupName} | targetGroupARNs=targetGroups
autoscaling | DetachLoadBalancerTargetGroups | remove | group/{autoScalingGroupName} | targetGroupARNs=targetGroups
autoscaling | AttachLoadBalancers | add | group/{autoScalingGroupName} | loadBalancerNames=loadBalancers
autoscaling | DetachLoadBalancers | remove | group/{autoScalingGroupName} | loadBalancerNames=loadBalancers
autoscaling | AttachTrafficSources | add | group/{autoScalingGroupName} | trafficSources
autoscaling | DetachTrafficSources | remove | group/{autoScalingGroupName} | trafficSources
autoscaling | PutWarmPool | set | group/{autoScalingGroupName} | minSize=warmPool.minSize maxGroupPreparedCapacity=warmPool.maxGroupPreparedCapacity poolState=warmPool.poolState
autoscaling | DeleteScheduledAction | unmake | group/{autoScalingGroupName}/scheduled/{scheduledActionName} |
autoscaling | PutScheduledUpdateGroupAction | set | group/{autoScalingGroupName}/scheduled/{scheduledActionName} | desiredCapacity minSize maxSize recurrence
autoscaling | PutScalingPolicy | set | group/{autoScalingGroupName}/policy/{policyName} | targetTrackingConfiguration.targetValue scalingAdjustment cooldown enabled
autoscaling | DeletePolicy | unmake | group/{autoScalingGroupName}/policy/{policyName} |
autoscaling | StartInstanceRefresh | set | group/{autoScalingGroupName} | instanceRefresh:=started
autoscaling | CancelInstanceRefresh RollbackInstanceRefresh | set | group/{autoScalingGroupName} | instanceRefresh:=cancelled
autoscaling | SetInstanceHealth | judged | {instanceId} |
autoscaling | TerminateInstanceInAutoScalingGroup | terminated | {instanceId} |
application-autoscaling | RegisterScalableTarget | target | {resourceId} | minCapacity maxCapacity suspendedState.dynamicScalingInSuspended suspendedState.dynamicScalingOutSuspended suspendedState.scheduledScalingSuspended
application-autoscaling | DeregisterScalableTarget | target | {resourceId} | minCapacity:=null maxCapacity:=null
application-autoscaling | PutScalingPolicy | target | {resourceId} | targetTrackingScalingPolicyConfiguration.targetValue
application-autoscaling | DeleteScalingPolicy | target | {resourceId} | targetValue:=null
ecs | UpdateService | service | service/{cluster#/=default}/{service#} | desiredCount taskDefinition<service.taskDefinition platformVersion deploymentConfiguration.minimumHealthyPercent deploymentConfiguration.maximumPercent healthCheckGracePeriodSeconds
ecs | UpdateServicePrimaryTaskSet | set | service/{cluster#/=default}/{service#} | primaryTaskSet
ecs | UpdateTaskSet | set | task-set/{cluster#/=default}/{service#}/{taskSet#} | scale.value=scale
ecs | CreateService | make | service/{cluster#/=default}/{serviceName#} | desiredCount taskDefinition<service.taskDefinition
ecs | DeleteService | unmake | service/{cluster#/=default}/{service#} |
ecs | UpdateCapacityProvider | set | capacity-provider/{name} | autoScalingGroupProvider.managedScaling.status=managedScaling autoScalingGroupProvider.managedScaling.targetCapacity autoScalingGroupProvider.managedTerminationProtection
eks | UpdateNodegroupConfig | set | nodegroup/{name/clusterName}/{nodegroupName} | scalingConfig.desiredSize scalingConfig.minSize scalingConfig.maxSize updateConfig.maxUnavailable
eks | UpdateNodegroupVersion | set | nodegroup/{name/clusterName}/{nodegroupName} | version releaseVersion launchTemplate.version=launchTemplateVersion
eks | CreateNodegroup | make | nodegroup/{name/clusterName}/{nodegroupName} | scalingConfig.desiredSize scalingConfig.minSize scalingConfig.maxSize
eks | DeleteNodegroup | unmake | nodegroup/{name/clusterName}/{nodegroupName} |
eks | UpdateClusterVersion | set | cluster/{name/clusterName} | version
eks | UpdateClusterConfig | set | cluster/{name/clusterName} | resourcesVpcConfig.endpointPublicAccess resourcesVpcConfig.endpointPrivateAccess resourcesVpcConfig.publicAccessCidrs
eks | UpdateAddon | set | addon/{name/clusterName}/{addonName} | addonVersion
ec2 | RunInstances | launched | |
ec2 | TerminateInstances | terminated | |
ec2 | StartInstances StopInstances | switched | |
ec2 | ModifyLaunchTemplate | set | launch-template/{ModifyLaunchTemplateRequest.LaunchTemplateId/ModifyLaunchTemplateRequest.LaunchTemplateName} | ModifyLaunchTemplateRequest.SetDefaultVersion=defaultVersion
ec2 | ModifyInstanceAttribute | set | instance/{instanceId} | instanceType.value/instanceType=instanceType disableApiTermination.value=disableApiTermination sourceDestCheck.value=sourceDestCheck ebsOptimized.value=ebsOptimized groupSet.items.*.groupId=securityGroups
ec2 | AuthorizeSecurityGroupIngress | allowed | security-group/{groupId/groupName} | ingress
ec2 | RevokeSecurityGroupIngress | revoked | security-group/{groupId/groupName} | ingress
ec2 | AuthorizeSecurityGroupEgress | allowed | security-group/{groupId/groupName} | egress
ec2 | RevokeSecurityGroupEgress | revoked | security-group/{groupId/groupName} | egress
ec2 | ModifySecurityGroupRules | rules | security-group/{ModifySecurityGroupRulesRequest.GroupId/groupId} |
ec2 | CreateRoute ReplaceRoute | routed | route-table/{routeTableId} |
ec2 | DeleteRoute | unrouted | route-table/{routeTableId} |
ec2 | ModifySpotFleetRequest | set | spot-fleet-request/{spotFleetRequestId} | targetCapacity onDemandTargetCapacity
ec2 | ModifyFleet | set | fleet/{ModifyFleetRequest.FleetId/fleetId} | ModifyFleetRequest.TargetCapacitySpecification.TotalTargetCapacity/targetCapacitySpecification.totalTargetCapacity=targetCapacity
ec2 | ModifyVolume | set | volume/{ModifyVolumeRequest.VolumeId/volumeId} | ModifyVolumeRequest.Size/size=size ModifyVolumeRequest.Iops/iops=iops ModifyVolumeRequest.VolumeType/volumeType=volumeType
ec2 | AssociateAddress | set | elastic-ip/{allocationId/publicIp} | instanceId/networkInterfaceId=association
rds | ModifyDBInstance | set | db/{dBInstanceIdentifier} | dBInstanceClass allocatedStorage maxAllocatedStorage iops storageType multiAZ engineVersion backupRetentionPeriod deletionProtection dBParameterGroupName storageThroughput publiclyAccessible vpcSecurityGroupIds
rds | ModifyDBCluster | set | cluster/{dBClusterIdentifier} | serverlessV2ScalingConfiguration.minCapacity serverlessV2ScalingConfiguration.maxCapacity engineVersion backupRetentionPeriod deletionProtection dBClusterInstanceClass
rds | ModifyCurrentDBClusterCapacity | set | cluster/{dBClusterIdentifier} | capacity
rds | FailoverDBCluster | act | cluster/{dBClusterIdentifier} | targetDBInstanceIdentifier=writer
rds | StartDBInstance | set | db/{dBInstanceIdentifier} | state:=running
rds | StopDBInstance | set | db/{dBInstanceIdentifier} | state:=stopped
rds | StartDBCluster | set | cluster/{dBClusterIdentifier} | state:=running
rds | StopDBCluster | set | cluster/{dBClusterIdentifier} | state:=stopped
rds | RebootDBInstance | act | db/{dBInstanceIdentifier} | forceFailover=reboot
rds | RebootDBCluster | act | cluster/{dBClusterIdentifier} | reboot
rds | PromoteReadReplica | act | db/{dBInstanceIdentifier} | promotion
rds | FailoverGlobalCluster SwitchoverGlobalCluster | act | global-cluster/{globalClusterIdentifier} | targetDbClusterIdentifier=writer
rds | CreateDBInstanceReadReplica | make | db/{dBInstanceIdentifier} | dBInstanceClass
rds | CreateDBCluster | make | cluster/{dBClusterIdentifier} | engineVersion
rds | DeleteDBCluster | unmake | cluster/{dBClusterIdentifier} |
rds | ModifyDBClusterParameterGroup | set | cluster-pg/{dBClusterParameterGroupName} | parameters:parameterName:parameterValue
rds | CreateDBInstance | make | db/{dBInstanceIdentifier} | dBInstanceClass allocatedStorage multiAZ
rds | DeleteDBInstance | unmake | db/{dBInstanceIdentifier} |
rds | ModifyDBParameterGroup | set | pg/{dBParameterGroupName} | parameters:parameterName:parameterValue
route53 | ChangeResourceRecordSets | records | hostedzone/{hostedZoneId#} |
elasticloadbalancing | RegisterTargets | add | {targetGroupArn} | targets
elasticloadbalancing | DeregisterTargets | remove | {targetGroupArn} | targets
elasticloadbalancing | RegisterInstancesWithLoadBalancer | add | loadbalancer/{loadBalancerName} | instances
elasticloadbalancing | DeregisterInstancesFromLoadBalancer | remove | loadbalancer/{loadBalancerName} | instances
elasticloadbalancing | ModifyListener | forwarded | {listenerArn} | defaultActions
elasticloadbalancing | ModifyRule | forwarded | {ruleArn} | actions
elasticloadbalancing | ModifyTargetGroup | set | {targetGroupArn} | healthCheckEnabled healthCheckPath healthCheckPort healthCheckIntervalSeconds healthCheckTimeoutSeconds healthyThresholdCount unhealthyThresholdCount matcher.httpCode
elasticloadbalancing | ModifyTargetGroupAttributes ModifyLoadBalancerAttributes | set | {targetGroupArn/loadBalancerArn} | attributes:key:value
elasticloadbalancing | SetSecurityGroups | set | {loadBalancerArn} | securityGroups
elasticloadbalancing | SetSubnets | set | {loadBalancerArn} | subnets
lambda | PutFunctionConcurrency | set | function/{functionName} | reservedConcurrentExecutions
lambda | DeleteFunctionConcurrency | set | function/{functionName} | reservedConcurrentExecutions:=null
lambda | PutProvisionedConcurrencyConfig | set | function/{functionName}/{qualifier} | provisionedConcurrentExecutions
lambda | DeleteProvisionedConcurrencyConfig | set | function/{functionName}/{qualifier} | provisionedConcurrentExecutions:=null
lambda | UpdateFunctionConfiguration | set | function/{functionName} | memorySize timeout runtime handler ephemeralStorage.size=ephemeralStorage
lambda | UpdateFunctionCode | set | function/{functionName} | code:<codeSha256
lambda | UpdateAlias | set | function/{functionName}/{name} | functionVersion routingConfig.additionalVersionWeights=weights
lambda | CreateFunction | make | function/{functionName} | memorySize timeout runtime
lambda | DeleteFunction | unmake | function/{functionName} |
lambda | CreateAlias | make | function/{functionName}/{name} | functionVersion
lambda | DeleteAlias | unmake | function/{functionName}/{name} |
lambda | UpdateEventSourceMapping | set | event-source-mapping/{uUID} | enabled batchSize maximumBatchingWindowInSeconds parallelizationFactor scalingConfig.maximumConcurrency
dynamodb | UpdateTable | table | table/{tableName#/<tableDescription.tableName} | provisionedThroughput.readCapacityUnits provisionedThroughput.writeCapacityUnits billingMode tableClass deletionProtectionEnabled
elasticache | ModifyReplicationGroup | set | replicationgroup/{replicationGroupId} | cacheNodeType automaticFailoverEnabled multiAZEnabled primaryClusterId engineVersion
elasticache | IncreaseReplicaCount DecreaseReplicaCount | set | replicationgroup/{replicationGroupId} | newReplicaCount=replicaCount
elasticache | ModifyReplicationGroupShardConfiguration | set | replicationgroup/{replicationGroupId} | nodeGroupCount
elasticache | ModifyCacheCluster | set | cluster/{cacheClusterId} | numCacheNodes cacheNodeType engineVersion
elasticache | TestFailover | act | replicationgroup/{replicationGroupId} | primaryClusterId
kinesis | UpdateShardCount | set | stream/{streamName/streamARN#} | targetShardCount=shardCount
kafka | UpdateBrokerCount | set | {clusterArn} | targetNumberOfBrokerNodes=brokers
sqs | SetQueueAttributes | set | {queueUrl#} | attributes.VisibilityTimeout attributes.DelaySeconds attributes.MessageRetentionPeriod attributes.ReceiveMessageWaitTimeSeconds
events | EnableRule | set | rule/{eventBusName#/=default}/{name} | state:=enabled
events | DisableRule | set | rule/{eventBusName#/=default}/{name} | state:=disabled
cloudwatch | DisableAlarmActions | add | alarms | alarmNames=disabled
cloudwatch | EnableAlarmActions | remove | alarms | alarmNames=disabled
cloudwatch | PutMetricAlarm | set | alarm/{alarmName} | threshold evaluationPeriods period actionsEnabled
ssm | PutParameter | act | parameter/{name} | version=value
ssm | DeleteParameter | unmake | parameter/{name} |
redshift | ModifyCluster ResizeCluster | set | cluster/{clusterIdentifier} | numberOfNodes nodeType
redshift | PauseCluster | set | cluster/{clusterIdentifier} | state:=paused
redshift | ResumeCluster | set | cluster/{clusterIdentifier} | state:=running
globalaccelerator | UpdateEndpointGroup | set | {endpointGroupArn} | trafficDialPercentage endpointConfigurations:endpointId:weight
"""  # noqa: E501 (a table)

SERVICES = {"monitoring": "cloudwatch"}  # where records call a service otherwise than its ARNs do
GLOBAL = frozenset({"route53", "globalaccelerator"})  # services without a region, whatever the record says
ANSWERS = {"dynamodb": "tableDescription.", "rds": ""}  # where an answer shows what stands while the change is still on its way
_DATED = re.compile(r"20\d\d_?\d\d_?\d\d(v\d+)?$")  # calls of Lambda and CloudFront carry the version of the interface


class Knob(NamedTuple):
    """One parameter: where its value is, and what it is called."""

    paths: tuple[str, ...]
    name: str
    answer: str = ""
    constant: str = ""
    element: tuple[str, str] | None = None  # paths of name and value in each element of a list
    by: int = 0  # so much more desired capacity for each member


class Call(NamedTuple):
    """One line of the table."""

    service: str
    how: str
    resource: str
    knobs: tuple[Knob, ...]
    regional: bool = True
    own: bool = False  # the operator's


def call_of(event_source: str, event_name: str, table: Mapping[tuple[str, str], Call]) -> Call | None:
    """The line for a record's `eventSource` and `eventName`; None where there is none."""
    service = event_source.partition(".")[0]
    service = SERVICES.get(service, service)
    return table.get((service, event_name)) or table.get((service, _DATED.sub("", event_name)))


def knob_of(text: str) -> Knob:
    """A parameter as the table writes it."""
    if ":<" in text:
        name, _, answer = text.partition(":<")
        return Knob((), name, answer)
    if ":=" in text:
        name, _, constant = text.partition(":=")
        return Knob((), name, constant=constant)
    if ":" in text:
        path, name, value = text.split(":")
        return Knob((path,), path, element=(name, value))
    text, _, name = text.partition("=")
    path, _, answer = text.partition("<")
    paths = tuple(path.split("/"))
    return Knob(paths, name or paths[0].rpartition(".")[2], answer)


def _moving(text: str) -> Knob:
    by = {"+1": 1, "-1": -1}.get(text[-2:], 0)
    return knob_of(text[:-2] if by else text)._replace(by=by)


def _read() -> dict[tuple[str, str], Call]:
    found = {}
    for line in TABLE.strip().splitlines():
        service, names, how, resource, knobs = (cell.strip() for cell in line.split("|"))
        regional = service not in GLOBAL and not resource.startswith("global-")
        call = Call(service, how, resource, tuple(map(_moving, knobs.split())), regional)
        for name in names.split():
            found[service, name] = call
            if service == "application-autoscaling":  # told as autoscaling's own in older records
                found.setdefault(("autoscaling", name), call)
    return found


CALLS = _read()
