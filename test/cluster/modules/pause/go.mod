// The process that holds a Pod's sandbox open.
module workbench-controller/test/cluster/pause

go 1.25.0
